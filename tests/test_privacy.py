"""Nothing is told to anybody, and nothing left behind, by the program or by what it is built on."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spnrefine import cache

pytestmark = pytest.mark.faults

EXAMPLES = Path(__file__).parents[1] / "examples"
PHOTOGRAPH, MASK = EXAMPLES / "astronaut.jpg", EXAMPLES / "astronaut_mask.png"
COMMANDS = {
    "refine": [PHOTOGRAPH, "--mask", MASK, "-o", "out/a.png"],
    "backbone": [PHOTOGRAPH, "-o", "out/b.png"],
    "face": [PHOTOGRAPH, "--model", "face", "-o", "out/"],
    "batch": ["batch", "photos", "--mask-dir", "masks", "-o", "out", "--report", "out/report.html", "--jobs", "2"],
    "eval": ["eval", "--images", "photos", "--coarse", "masks", "--truth", "masks"],
    "info": ["info"],
}


@pytest.fixture
def work(tmp_path):
    """A folder to work in, with a batch of three, and an empty home."""
    folder = tmp_path / "work"
    for name, source in (("photos", PHOTOGRAPH), ("masks", MASK)):
        (folder / name).mkdir(parents=True)
        for number in range(3):
            shutil.copy(source, folder / name / f"{number}{source.suffix}")
    (tmp_path / "home").mkdir()
    return folder


def run(work, arguments, *before, **variables):
    """Run the program with an empty home; kernels come from where this process has them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    own = {"HOME": str(work.parent / "home"), "NUMBA_CACHE_DIR": str(cache.folder().parent)}
    command = [*before, sys.executable, "-m", "spnrefine", *map(str, arguments)]
    environment = kept | own | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | variables
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


@pytest.mark.parametrize(
    ("command", "variables"), [*((command, {}) for command in COMMANDS), ("backbone", {"ORT_DISABLE_TELEMETRY": "0"})]
)
def test_nothing_is_left_in_the_home(work, command, variables):
    before = files_in(work)
    run(work, COMMANDS[command], TMPDIR=str(work), **variables)
    assert files_in(work.parent / "home") == set()
    made = {name for name in files_in(work) - before if not name.startswith("out/")}
    assert made <= {".out.spnrefine.jsonl"}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("command", [*COMMANDS])
def test_no_connection_is_tried(work, command):
    """Sockets of the machine itself are let be: the system looks up the user's name through one."""
    trace = work.parent / "trace"
    run(work, COMMANDS[command], "strace", "-f", "-e", "trace=network,execve", "-o", str(trace))
    seen = trace.read_text()
    assert "execve(" in seen
    domains = set(re.findall(r"socket\((\w+)", seen))
    assert domains <= {"AF_UNIX"}, seen


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_connection_would_be_seen(work):
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    command = ["strace", "-f", "-e", "trace=network", sys.executable, "-c", code]
    assert "AF_INET" in subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stderr
