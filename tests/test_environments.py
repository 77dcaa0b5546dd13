"""Machines that are not as they should be: each command says in a sentence what is wrong, or does without."""

import errno
import json
import os
import resource
import subprocess
import sys

import pytest

from spnrefine import cache
from spnrefine.cli.group import COMMANDS
from spnrefine.errors import FileError, in_words
from spnrefine.model import storage
from spnrefine.model.config import Config
from spnrefine.model.spn import SPN
from tests.documents import ROOT

pytestmark = pytest.mark.faults

EXAMPLES = ROOT / "examples"
PAIR = [EXAMPLES / "cat.jpg", "--mask", EXAMPLES / "cat_mask.png"]
FACE = [EXAMPLES / "astronaut.jpg", "--model", "face", "-o", "face.png"]


@pytest.fixture
def run(warm):
    def invoke(cwd, *arguments, before=None, environment=None, **streams):
        command = [*warm, *map(str, arguments)]
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **(environment or {})}
        captured = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        return subprocess.run(
            command, cwd=cwd, env=variables, preexec_fn=before, text=True, timeout=300, check=False, **captured
        )

    return invoke


def assert_sentences(done, *, code=1):
    """Every line on standard error is a sentence, and none of them speaks of a bug or shows a traceback."""
    assert done.returncode == code, done.stderr
    assert "bug" not in done.stderr
    assert "Traceback" not in done.stderr
    assert all(line.endswith(".") for line in done.stderr.splitlines()), done.stderr


RAISED = {
    "missing": 'ModuleNotFoundError("No module named \'torch\'", name="torch")',
    "broken": 'OSError("libcudart.so.12: cannot open shared object file: No such file or directory")',
}


def put_first(folder, raised):
    """Write a torch that cannot be imported, and return variables that have it first on the path."""
    folder.mkdir()
    (folder / "torch.py").write_text(f"raise {raised}\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])}


@pytest.fixture(params=RAISED)
def no_torch(tmp_path, request):
    return put_first(tmp_path / "path", RAISED[request.param])


@pytest.fixture
def batch(tmp_path):
    for folder, source in (("photos", EXAMPLES / "cat.jpg"), ("masks", EXAMPLES / "cat_mask.png")):
        (tmp_path / folder).mkdir()
        for number in range(2):
            (tmp_path / folder / f"{number}{source.suffix}").symlink_to(source)
    return ["batch", "photos", "--mask-dir", "masks", "-o", "out"]


def no_room():
    """Let no file grow, as on a full disc."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_full_disc_is_a_sentence(run, tmp_path):
    done = run(tmp_path, *PAIR, "-o", "a.png", before=no_room)
    assert_sentences(done)
    assert "Error: a.png cannot be written (File too large)" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", [[], ["--report", "r.html"], ["--records", "r.jsonl"], ["--overlay", "look"]])
def test_a_batch_on_a_full_disc_names_what_cannot_be_written(run, tmp_path, batch, more):
    done = run(tmp_path, *batch, *more, before=no_room)
    assert_sentences(done)
    assert "cannot be written (File too large)" in done.stderr
    assert "Something" not in done.stderr
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--help"], ["--version"], ["cache"], ["info"], ["info", "--json"], ["info", "--models"]),
        *([command, "--help"] for command in COMMANDS),
        *([*PAIR, "-o", "-"], [*PAIR, "--json", "-o", "a.png"]),
    ],
    ids=lambda arguments: " ".join(str(part) for part in arguments if not hasattr(part, "stem")),
)
def test_standard_output_that_takes_nothing_is_a_sentence(run, tmp_path, arguments):
    sooner = put_first(tmp_path / "path", RAISED["missing"])  # what is told of torch, importing it takes long to find
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = run(tmp_path, *arguments, stdout=full, environment=sooner)
    assert_sentences(done)
    assert "No space left on device" in done.stderr


def test_a_dry_run_and_records_into_a_full_disc(run, tmp_path, batch):
    for more in (["--dry-run"], ["--records", "-"]):
        with open("/dev/full", "w") as full:  # noqa: PTH123
            done = run(tmp_path, *batch, *more, stdout=full)
        assert done.returncode == 1
        assert "Error: Standard output cannot be written (No space left on device)" in done.stderr
        assert "bug" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    ("mask", "code"), [(["--mask", PAIR[2]], 0), (["--mask", "none.png"], 1), (["--no-such-option"], 2)]
)
def test_standard_error_that_takes_nothing_changes_no_exit_code(run, tmp_path, mask, code, unbuffered):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        environment = {"PYTHONUNBUFFERED": unbuffered}
        done = run(tmp_path, PAIR[0], *mask, "-o", "a.png", stderr=full, environment=environment)
    assert done.returncode == code
    assert (tmp_path / "a.png").exists() == (code == 0)


def test_a_folder_that_is_gone_is_a_sentence(run, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    done = run(folder, *PAIR, "-o", "a.png", before=folder.rmdir)
    assert_sentences(done)


def test_without_torch_masks_are_refined_and_made(run, tmp_path, no_torch):
    assert_sentences(run(tmp_path, *PAIR, "-o", "a.png", environment=no_torch), code=0)
    assert_sentences(run(tmp_path, EXAMPLES / "cat.jpg", "-o", "b.png", environment=no_torch), code=0)
    assert_sentences(run(tmp_path, *FACE, environment=no_torch), code=0)


def test_without_torch_info_tells_what_is_wrong_with_it(run, tmp_path, no_torch):
    done = run(tmp_path, "info", "--json", environment=no_torch)
    assert_sentences(done, code=0)
    machine = json.loads(done.stdout)["machine"]
    assert machine["torch"].startswith("cannot be imported: ")
    assert (machine["devices"], machine["backends"]) == (["cpu"], [])
    assert "cannot be imported" in run(tmp_path, "info", environment=no_torch).stdout


TRAINING = ["train", "--images", "photos", "--masks", "masks", "--minutes", "1", "--out", "a.safetensors"]


@pytest.mark.parametrize(
    "arguments",
    [[*PAIR, "--model", "own.safetensors", "-o", "a.png"], ["bench", "--only", "propagation"], TRAINING],
    ids=["own", "bench", "train"],
)
def test_what_needs_torch_says_so(run, tmp_path, batch, no_torch, arguments):
    storage.save(SPN(Config(channels=2, taps=1)), tmp_path / "own.safetensors")  # no configuration that was exported
    done = run(tmp_path, *arguments, environment=no_torch)
    assert_sentences(done)
    assert "install" in done.stderr
    assert "'spnrefine[train]'" in done.stderr or "libcudart" in done.stderr


NOBODY = """
import os, pwd, runpy, sys
from pathlib import Path
from spnrefine import cache
kept, load = Path(sys.argv.pop(1)), cache.load
def load_all_but_one(name):  # that one has to be compiled, and to be kept nowhere; the others only take time
    found = load(name)
    if not found and not name.startswith("topology") and (kept / name).is_file():
        found = (kept / name).read_bytes()[cache._LENGTH :]
    return found
cache.load = load_all_but_one
for name in ("HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"):
    os.environ.pop(name, None)
def unknown(user):
    raise KeyError(f"getpwuid(): uid not found: {user}")
pwd.getpwuid = unknown
runpy.run_module("spnrefine", run_name="__main__")
"""


@pytest.mark.parametrize("arguments", [[*PAIR, "-o", "a.png", "--keep-topology"], ["cache"]], ids=["refine", "cache"])
def test_a_user_that_nobody_knows_and_no_home(tmp_path, arguments):
    command = [sys.executable, "-c", NOBODY, str(cache.folder()), *map(str, arguments)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert_sentences(done, code=0)
    assert "HOME" in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileError("As it is: do this."), "As it is: do this."),
        (OSError(errno.ENOSPC, "No space left on device", "a.png"), "a.png cannot be written (No space left"),
        (OSError(errno.EACCES, "Permission denied", b"a\xff.png"), "cannot be used (Permission denied)"),
        (OSError(errno.EIO, "Input/output error"), "refused a call (Input/output error)"),
        (OSError(errno.EMFILE, "Too many open files", "a"), "Too few files may be open"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "Memory ran out"),
        (OSError("libx.so: cannot open shared object file"), "library cannot be loaded"),
        (OSError(), "OSError"),
        (MemoryError(), "Memory ran out"),
        (RuntimeError("std::bad_alloc"), "Memory ran out"),
        (RuntimeError("can't start new thread"), "No thread could be started"),
        (ImportError("DLL load failed", name="cv2"), "cv2 cannot be imported (DLL load failed)"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range(128)"), "Text cannot be written as ascii"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_comes_from_outside_is_put_in_words(error, said):
    text = in_words(error)
    assert said in text
    assert text.endswith(".")
    assert "\n" not in text


@pytest.mark.parametrize("error", [TypeError("x"), KeyError("x"), ImportError("x", name="spnrefine.files")])
def test_a_fault_of_the_programs_own_is_not_blamed_on_the_machine(error):
    assert in_words(error) is None


def test_the_operator_without_torch_names_the_extra(tmp_path):
    code = "import sys; sys.modules['torch'] = None; from spnrefine.ops import propagate"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert "MissingExtraError: torch is not installed" in done.stderr
    assert "pip install 'spnrefine[train]'" in done.stderr
