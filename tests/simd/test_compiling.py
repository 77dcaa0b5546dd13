"""Compiled kernels are kept under names that tell all they depend on: none is stale, none in a package's folder."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import spnrefine
from spnrefine.simd import compiling, sources, threads
from tests.test_arrows import MODULES, imports_of

PACKAGE = Path(spnrefine.__file__).parent
KERNEL = """
import sys
from spnrefine.simd.compiling import kernel
from {helper} import help_out

@kernel
def double(x):
    return 2 * help_out(x)
"""
PRINTED = "from spnrefine import k; print(k.double(1), k.double._cache_hits.total())"
HELPER = """
from spnrefine.simd.compiling import inlined

@inlined
def help_out(x):
    return x + {number}
"""


def modules_with_kernels():
    found = []
    for path in PACKAGE.rglob("*.py"):
        if re.search("^@(kernel|part|inner)$", path.read_text(), re.MULTILINE):
            found.append(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    return found


def walked(module):
    """Name the modules that one imports at once, and those in turn, by its syntax tree."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in MODULES and name not in found:
            found.add(name)
            waiting += [each.module for each in imports_of(MODULES[name]) if each.at_once]
    return found


@pytest.mark.parametrize("module", modules_with_kernels())
def test_a_name_depends_on_every_module_that_can_be_compiled_into_a_kernel(module):
    """The walk over lines, quick enough for every start, finds what the walk over syntax trees finds."""
    import_module(module)
    assert sources.imported(module) >= walked(module) >= {module, "spnrefine.simd.compiling"}


@pytest.fixture
def checkout(tmp_path):
    """A copy of the package with a kernel of its own, which ``helper`` is compiled into; run it in a process."""
    package = tmp_path / "spnrefine"
    package.mkdir()
    for name in ("__init__.py", "version.py", "errors.py", "cache.py", "simd"):
        (package / name).symlink_to(PACKAGE / name)

    def run(number, environment, code=PRINTED, *more):
        (package / "helper.py").write_text(HELPER.format(number=number))
        (package / "k.py").write_text(KERNEL.format(helper="spnrefine.helper"))
        command = [sys.executable, "-c", code, *map(str, more)]
        clean = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
        clean |= {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=tmp_path, env=clean | environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), done.stderr.strip()

    return run


def test_a_changed_helper_is_compiled_anew_and_nothing_is_written_beside_the_sources(checkout, tmp_path):
    home = {"HOME": str(tmp_path / "home")}
    assert checkout(1, home) == ("4 0", "")
    assert checkout(1, home) == ("4 1", "")
    assert checkout(5, home) == ("12 0", "")
    assert checkout(1, home) == ("4 1", "")
    kept = list((tmp_path / "home/.cache/spnrefine").iterdir())
    assert len(kept) == 2
    assert not list((tmp_path / "spnrefine").rglob("*.nb?"))
    assert not list(tmp_path.rglob("*.tmp"))


def test_where_nothing_can_be_written_kernels_are_compiled_and_it_is_said_once(checkout):
    code = "from spnrefine import k; print(k.double(1), k.double(1.5))"
    values, said = checkout(1, {"HOME": "/proc/nowhere"}, code)
    assert values == "4 5.0"
    assert said.count("\n") == 0
    assert said.startswith("Compiled kernels cannot be kept (/proc/nowhere/.cache/spnrefine")
    assert "several seconds" in said


DAMAGED = """
import os, sys
from pathlib import Path
from spnrefine.simd import threads  # slow to import: once, for all that follow

def again():
    child = os.fork()
    if not child:
        from spnrefine import k
        print(k.double(1), k.double._cache_hits.total(), flush=True)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

again()
(kept,) = Path(sys.argv[1]).iterdir()
whole = kept.read_bytes()
for damaged in (b"", whole[:100], whole[:-1] + bytes([whole[-1] ^ 1])):
    kept.write_bytes(damaged)
    again()
    print(len(kept.read_bytes()) == len(whole), flush=True)
    again()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_damaged_file_is_compiled_anew(checkout, tmp_path):
    printed, said = checkout(1, {"HOME": str(tmp_path / "home")}, DAMAGED, tmp_path / "home/.cache/spnrefine")
    assert said == ""
    assert printed.splitlines() == ["4 0", *["4 0", "True", "4 1"] * 3]


def test_all_kernels_of_the_package_are_kept_in_one_place():
    for path in PACKAGE.rglob("*.py"):
        assert not re.search(r"jit\([^)]*\bcache=", path.read_text()), path
    assert isinstance(threads.wait_until_done._cache, compiling._Cache)
