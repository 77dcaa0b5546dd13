"""The examples of other programs' engines, run as they stand, beside what ``spnrefine batch`` writes."""

import os
import secrets
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.documents import ROOT


@pytest.fixture
def folders(tmp_path):
    """Two photographs with their masks, one of which is none."""
    for name in ("photos", "masks"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / "examples/cat.jpg", tmp_path / "photos")
    shutil.copy(ROOT / "examples/cat_mask.png", tmp_path / "masks/cat.png")
    (tmp_path / "photos/none.jpg").write_bytes(b"no picture")
    (tmp_path / "masks/none.png").write_bytes(b"no picture")
    return tmp_path


@pytest.mark.slow("starts an engine of many processes; a loop over the same batches is quick")
@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_example_of_an_engine(run, folders, engine):
    if find_spec(engine) is None:
        pytest.skip(f"{engine} is not installed")
    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}  # which leaves no file in the home
    command = [sys.executable, str(ROOT / f"examples/with_{engine}.py"), "photos", "masks", "out"]
    done = subprocess.run(
        command, cwd=folders, env=os.environ | own, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "photos/none.jpg: photos/none.jpg is not a whole picture" in done.stdout
    where = "--mask-dir", folders / "masks", "-o", folders / "batch", "--device", "cpu"
    assert run("batch", folders / "photos", *where).exit_code == 1
    assert [path.name for path in (folders / "out").iterdir()] == ["cat.png"]
    assert (folders / "out/cat.png").read_bytes() == (folders / "batch/cat.png").read_bytes()
