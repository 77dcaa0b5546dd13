"""Nothing is told to anybody, and nothing left behind, by the program or by what it is built on."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from spnrefine import cache

pytestmark = pytest.mark.faults

EXAMPLES = Path(__file__).parents[1] / "examples"
STRACE = shutil.which("strace")
COMMANDS = {
    "refine": ["a.jpg", "--mask", "a.png", "-o", "out/a.png"],
    "backbone": ["a.jpg", "-o", "out/b.png"],
    "face": ["a.jpg", "--model", "face", "-o", "out/face/"],
    "batch": ["batch", "photos", "--mask-dir", "masks", "-o", "out", "--report", "out/report.html", "--jobs", "2"],
    "eval": ["eval", "--images", "photos", "--coarse", "masks", "--truth", "masks"],
    "info": ["info"],
}


class Ran(NamedTuple):
    """What commands did: files in their home, new ones in their folder, and their calls, where strace is installed."""

    at_home: set[str]
    made: set[str]
    calls: str | None


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}


def lay_out(folder):
    """Write a photograph and its mask, and a batch of three."""
    for name, extension in (("astronaut", "jpg"), ("astronaut_mask", "png")):
        with Image.open(EXAMPLES / f"{name}.{extension}") as picture:
            picture.resize((160, 160), Image.Resampling.NEAREST).save(folder / f"a.{extension}")
    for name, extension in (("photos", "jpg"), ("masks", "png")):
        (folder / name).mkdir()
        for number in range(3):
            shutil.copy(folder / f"a.{extension}", folder / name / f"{number}.{extension}")


ONE_BY_ONE = """
import json, sys
from spnrefine.cli import main
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments, prog_name="spnrefine")
    except SystemExit as end:
        assert not end.code, arguments
"""


@pytest.fixture(
    scope="module",
    params=[(list(COMMANDS), {}), (["backbone"], {"ORT_DISABLE_TELEMETRY": "0"})],
    ids=["all", "backbone-ORT_DISABLE_TELEMETRY=0"],
)
def ran(request, tmp_path_factory):
    """Run commands in one process, with an empty home, under strace; kernels come from where this process has them."""
    commands, variables = request.param
    base = tmp_path_factory.mktemp("privacy")
    work, home, trace = base / "work", base / "home", base / "trace"
    for folder in (work, home):
        folder.mkdir()
    lay_out(work)
    before = files_in(work)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    own = {"HOME": str(home), "TMPDIR": str(work), "NUMBA_CACHE_DIR": str(cache.folder().parent)}
    environment = kept | own | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | variables
    tracing = [STRACE, "-f", "--seccomp-bpf", "-e", "trace=network,execve", "-o", str(trace)] if STRACE else []
    done = subprocess.run(
        [*tracing, sys.executable, "-c", ONE_BY_ONE, json.dumps([COMMANDS[name] for name in commands])],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Ran(files_in(home), files_in(work) - before, trace.read_text() if STRACE else None)


def test_nothing_is_left_in_the_home(ran):
    assert ran.at_home == set()
    assert {name for name in ran.made if not name.startswith("out/")} <= {".out.spnrefine.jsonl"}


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_no_connection_is_tried(ran):
    """Sockets of the machine itself are let be: the system looks up the user's name through one."""
    assert "execve(" in ran.calls
    domains = set(re.findall(r"socket\((\w+)", ran.calls))
    assert domains <= {"AF_UNIX"}, ran.calls


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_a_connection_would_be_seen():
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    command = ["strace", "-f", "-e", "trace=network", sys.executable, "-c", code]
    assert "AF_INET" in subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stderr
