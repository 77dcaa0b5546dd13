"""The steps of the example Dockerfile, without Docker: the kernels that they compile are all that a run needs."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.documents import ROOT

TEXT = (ROOT / "examples/Dockerfile").read_text()
COMPILES = "import sys; from spnrefine import cache; cache.keep = lambda *_: sys.exit('a kernel was compiled'); "
MAIN = "from spnrefine.cli import main; main(prog_name='spnrefine')"


def test_it_runs_as_nobody_and_copies_what_is_there():
    assert re.findall(r"^USER (.*)$", TEXT, re.MULTILINE) == ["65534:65534"]
    assert TEXT.index("USER ") > TEXT.rindex("RUN ")  # or the kernels were nobody's own
    for source in re.findall(r"^COPY (?!--from)(\S+)", TEXT, re.MULTILINE):
        assert (ROOT / source).exists()
    assert "--network none --read-only" in TEXT


def spnrefine(code, *arguments, folder, cwd):
    variables = os.environ | {"NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code + MAIN, *arguments],
        env=variables,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow(reason="compiles all kernels, as the build of an image does")
def test_its_steps_compile_all_that_a_run_needs(tmp_path):
    places = {"/opt/examples/": f"{ROOT}/examples/", "/tmp/": f"{tmp_path}/"}
    steps = [shlex.split(step) for step in re.findall(r"^RUN spnrefine (.*)$", TEXT, re.MULTILINE)]
    assert len(steps) >= 4
    for step in steps:
        for place, own in places.items():
            step = [word.replace(place, own) for word in step]
        done = spnrefine("", *step, folder=tmp_path / "kernels", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    for name in ("cat", "coffee"):
        (tmp_path / f"photos/{name}.jpg").symlink_to(ROOT / f"examples/{name}.jpg")
        (tmp_path / f"masks/{name}.png").symlink_to(ROOT / f"examples/{name}_mask.png")
    for run in (
        ("batch", "photos", "--mask-dir", "masks", "-o", "out", "--report", "page.html"),
        ("photos/cat.jpg", "--model", "face", "-o", "face.png"),
        ("photos/cat.jpg", "-o", "made.png"),
        ("photos/cat.jpg", "--mask", "masks/cat.png", "--best", "-o", "best.png"),
    ):
        done = spnrefine(COMPILES, *run, folder=tmp_path / "kernels", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
