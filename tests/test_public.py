"""What ``import spnrefine`` gives, and that the example in each public docstring does what it says."""

import doctest
import inspect
import subprocess
import sys

import pytest

import spnrefine
from spnrefine import batch, errors, ops

LIBRARY = [name for name in spnrefine.__all__ if name != "__version__"]
ERRORS = {name for name, value in vars(errors).items() if inspect.isclass(value)}
WITH_EXAMPLES = [
    *(f"spnrefine.{name}" for name in LIBRARY if name not in ERRORS - {"SpnRefineError"}),
    *(f"spnrefine.ops.{name}" for name in ops.__all__),
    *(f"spnrefine.batch.{name}" for name in batch.__all__),
]


def test_dir_shows_the_public_names_and_nothing_else():
    assert set(dir(spnrefine)) == set(spnrefine.__all__)
    assert not {"Any", "import_module", "TYPE_CHECKING"} & set(dir(spnrefine))
    assert ERRORS | {"refine", "Refiner", "Backbone", "Parser", "__version__"} == set(spnrefine.__all__)


def test_public_names_are_what_they_say():
    for name in LIBRARY:
        assert getattr(spnrefine, name).__name__ == name
    for name in ERRORS:
        assert issubclass(getattr(spnrefine, name), spnrefine.SpnRefineError)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spnrefine.nothing


def test_the_package_is_imported_without_what_is_heavy():
    code = "import sys, spnrefine; dir(spnrefine); print({'numpy', 'cv2', 'torch', 'numba'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "set()"


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_example_runs(name):
    module, _, attribute = name.rpartition(".")
    subject = getattr(sys.modules[module], attribute)
    named = {attribute: subject}
    (example,) = doctest.DocTestFinder(recurse=False).find(subject, name, globs=named)
    assert example.examples, f"{name} has no example in its docstring"
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert result.failed == 0, "".join(said)
    assert result.attempted > 0
    assert "+SKIP" not in example.docstring
