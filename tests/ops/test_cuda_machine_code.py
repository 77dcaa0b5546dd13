"""The CUDA kernels as a GPU would run them, compiled without one for four architectures; and where they are kept.

``python -m pytest -s tests/ops/test_cuda_machine_code.py`` prints registers and the seconds it took.
"""

import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import time

import pytest
import torch

from spnrefine.errors import BackendError
from spnrefine.ops.cuda import compiling
from spnrefine.ops.cuda.compiling import Unit
from spnrefine.ops.cuda.limits import MERGE_THREADS, blocks_of

CAPABILITIES = [(7, 5), (8, 0), (9, 0), (10, 0)]
FLOAT32 = [Unit(way, torch.float32, torch.float32) for way in ("forward", "backward")]
OTHERS = [
    Unit(way, x, guidance)
    for x, guidance in [
        (torch.bfloat16, torch.bfloat16),
        (torch.float16, torch.float16),
        (torch.float64, torch.float64),
        (torch.float32, torch.bfloat16),
    ]
    for way in ("forward", "backward")
]


def has_compiler() -> bool:
    try:
        return importlib.util.find_spec("cuda.bindings") is not None and bool(
            importlib.metadata.version("nvidia-cuda-nvrtc")
        )
    except (ImportError, importlib.metadata.PackageNotFoundError):
        return False


needs_compiler = pytest.mark.skipif(not has_compiler(), reason="compiles with NVRTC: install the extra 'cuda'")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path


def reports(log: str) -> dict[str, dict[str, int]]:
    """What the assembler says of each kernel."""
    pattern = (
        r"Compiling entry function '(\w+)'.*?(\d+) bytes stack frame, (\d+) bytes spill stores, "
        r"(\d+) bytes spill loads.*?Used (\d+) registers"
    )
    words = ("stack", "stores", "loads", "registers")
    return {
        name: dict(zip(words, map(int, numbers), strict=True)) for name, *numbers in re.findall(pattern, log, re.DOTALL)
    }


def check(unit: Unit, capability: tuple[int, int]) -> None:
    start = time.perf_counter()
    code, log = compiling.compiled(unit, capability, "--ptxas-options=-v")
    print(f"\n{unit} sm_{capability[0]}{capability[1]}: {len(code)} bytes, {time.perf_counter() - start:.1f} s")
    assert code.startswith(b"\x7fELF")
    kernels = reports(log)
    blocks = blocks_of(unit.way, unit.wide)
    assert kernels.keys() - {"merge", "sum"} == blocks.keys()
    assert len(blocks) <= 3
    for name, used in kernels.items():
        print(f"  {name:14} {used}")
        assert used["stack"] == used["stores"] == used["loads"] == 0, name
        threads = blocks[name].threads if name in blocks else MERGE_THREADS
        assert used["registers"] * threads <= 65536, name


@needs_compiler
@pytest.mark.parametrize("unit", FLOAT32, ids=lambda unit: unit.way)
def test_kernels_fit_registers(unit):
    check(unit, (9, 0))


@needs_compiler
@pytest.mark.slow(reason="compiles every kernel for every GPU")
@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"sm_{c[0]}{c[1]}")
@pytest.mark.parametrize("unit", FLOAT32 + OTHERS, ids=lambda u: f"{u.way}-{u.x}-{u.guidance}")
def test_every_kernel_that_ships_fits_registers(unit, capability):
    check(unit, capability)


@pytest.fixture
def fake_compiler(monkeypatch):
    """Stands in for the compiler; keeps what was asked of it."""
    asked = []

    def compiled(unit, capability, *options):
        asked.append((unit, capability))
        return b"\x7fELF of " + unit.way.encode(), ""

    monkeypatch.setattr(compiling, "compiled", compiled)
    return asked


def test_machine_code_is_kept_on_disk(fake_compiler, cache):
    for _ in range(2):
        assert compiling.machine_code(FLOAT32[0], (9, 0)) == b"\x7fELF of forward"
    assert fake_compiler == [(FLOAT32[0], (9, 0))]
    compiling.machine_code(FLOAT32[0], (8, 0))
    compiling.machine_code(FLOAT32[1], (9, 0))
    compiling.machine_code(OTHERS[0], (9, 0))
    assert len(fake_compiler) == len(list((cache / "spnrefine").glob("cuda.*.cubin"))) == 4
    compiling.machine_code(FLOAT32[0], (9, 0), anew=True)
    assert len(fake_compiler) == 5
    assert len(list((cache / "spnrefine").iterdir())) == 4


def test_where_nothing_can_be_written_it_is_compiled_each_time(fake_compiler, cache, monkeypatch):
    blocked = cache / "a file"
    blocked.touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(blocked / "below it"))
    for _ in range(2):
        assert compiling.machine_code(FLOAT32[0], (9, 0)) == b"\x7fELF of forward"
    assert len(fake_compiler) == 2


def test_all_that_training_takes_is_compiled_ahead(fake_compiler):
    units = compiling.units_for(torch.float32, torch.float32, training=True)
    compiling.precompile(units, (9, 0))
    assert sorted(fake_compiler) == sorted((unit, (9, 0)) for unit in FLOAT32)
    for unit in FLOAT32:
        compiling.machine_code(unit, (9, 0))
    assert len(fake_compiler) == 2


def test_what_the_compiler_lacks_is_said(monkeypatch, tmp_path):
    missing = tmp_path / "compiler.py"
    missing.write_text("import sys\nsys.exit('no NVRTC')")
    monkeypatch.setattr(compiling, "COMPILER", missing)
    with pytest.raises(BackendError, match=r"capability 9\.0 \(no NVRTC\): install the extra 'cuda', or use the CPU"):
        compiling.machine_code(FLOAT32[0], (9, 0))


@needs_compiler
def test_a_second_process_compiles_nothing(cache):
    code = (
        "import sys, json, torch\nfrom spnrefine.ops.cuda import compiling\n"
        "unit = compiling.Unit('forward', torch.float32, torch.float32)\n"
        "size = len(compiling.machine_code(unit, (9, 0)))\n"
        "print(json.dumps([compiling.compilations, size, 'numba' in sys.modules]))"
    )
    runs = [
        json.loads(subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, check=True).stdout)
        for _ in range(2)
    ]
    size = runs[0][1]
    assert runs == [[1, size, False], [0, size, False]]
