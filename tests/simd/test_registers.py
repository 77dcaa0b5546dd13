"""How much is computed at once is told by what Numba compiles for, not by the processor alone."""

import pytest
from numba.core import codegen, config

from spnrefine.simd import registers


@pytest.mark.parametrize("chosen", ["", "+avx2,-avx512f", None])
def test_features_are_those_that_numba_compiles_for(monkeypatch, chosen):
    monkeypatch.setattr(config, "CPU_FEATURES", chosen)
    monkeypatch.setattr(config, "ENABLE_AVX", 0)
    found = registers._features()
    assert found == (codegen.get_host_cpu_features() if chosen is None else chosen)
    assert "+avx512f" not in found
