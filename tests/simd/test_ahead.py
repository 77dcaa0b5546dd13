"""Routines are loaded without Numba once they are compiled, and do what their kernels do."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import spnrefine
from spnrefine import cache
from spnrefine.model import routines
from spnrefine.simd import ahead, compiling_ahead

TAKES = {"add": "LiFFf", "fill": "Li"}
MODULE = "tests.simd.small_routines"
LOADED = """
import sys
import numpy as np
from spnrefine.simd import ahead
import spnrefine.model.on_cpu, spnrefine.model.decoder_on_cpu, spnrefine.model.walk_on_cpu
routines = ahead.routines({module!r}, {takes!r})
numbers, out = np.arange(4, dtype=np.float32), np.zeros(4, np.float32)
control = np.zeros(2, np.int64)
routines["add"](control, 4, numbers, out, 0.5)
routines["fill"](control, 7)
print(out.tolist(), control.tolist(), {module!r} in sys.modules, "numba" in sys.modules)
"""


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    return tmp_path / "kept/spnrefine"


def in_a_process(code, **environment):
    top = str(Path(spnrefine.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": top} | environment,
        cwd=top,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def test_what_one_process_compiled_the_next_loads_without_numba(kept, caplog):
    with caplog.at_level("INFO", "spnrefine"):
        compiled = ahead.routines(MODULE, TAKES)
    assert [record.getMessage()[:20] for record in caplog.records] == ["Kernels are compiled"]
    out = np.zeros(3, np.float32)
    compiled["add"](np.zeros(2, np.int64), 3, np.ones(3, np.float32), out, 2.0)
    assert out.tolist() == [3, 3, 3]
    assert len(list(kept.iterdir())) == 1
    code = LOADED.format(module=MODULE, takes=TAKES)
    assert in_a_process(code) == "[0.5, 1.5, 2.5, 3.5] [7, 7] False False"


def test_names_depend_on_settings_that_change_code(monkeypatch):
    before = ahead._file_name(MODULE, TAKES)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "7")
    assert ahead._file_name(MODULE, TAKES) == before
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert ahead._file_name(MODULE, TAKES) != before


def test_what_would_need_more_than_is_there_is_not_kept(kept, monkeypatch, caplog):
    monkeypatch.setattr(compiling_ahead, "NOT_CALLED", ())
    assert set(ahead.routines(MODULE, {"fill": "Li"})) == {"fill"}
    assert not kept.exists()
    assert "cannot be kept" in caplog.text


def test_the_networks_routines_can_be_kept():
    routines.routine("wait")  # compiles all, where no earlier run has
    assert cache.load(ahead._file_name("spnrefine.model.routines_compiled", routines.TAKES)) is not None
