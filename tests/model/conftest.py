"""What tests of the network's kernels share."""

import pytest

from spnrefine.simd import memory


@pytest.fixture
def nothing_is_clean(monkeypatch):
    """What lay in memory before does not matter: here it is NaN."""
    memory.release()
    new = memory.aligned

    def aligned(size):
        array = new(size)
        array.fill(255)
        return array

    monkeypatch.setattr(memory, "aligned", aligned)
    yield
    memory.release()
