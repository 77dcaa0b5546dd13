import gc
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from spnrefine.cli import main
from spnrefine.model import inference
from tests import rewritten
from tests.faults import write_table
from tests.model.make_check import draw


def pytest_configure(config):
    """Let two processes test side by side, neither spinning while it waits.

    OpenMP's threads spin at the end of each loop, which takes the core from the other process; the processes that
    pytest-xdist starts, and what they start, inherit how to wait.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if hasattr(config, "workerinput"):
        rewritten.share(config, *config.workerinput["rewritten"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tell a process where all keep the tests they rewrote, and which share is its own."""
    if not hasattr(node.config, "rewritten"):
        node.config.rewritten = tempfile.TemporaryDirectory(prefix="spnrefine-rewritten-")
    number, count = int(node.workerinput["workerid"].removeprefix("gw")), node.workerinput["workercount"]
    node.workerinput["rewritten"] = (node.config.rewritten.name, number, count)


def pytest_unconfigure(config):
    """Remove what was kept for this run alone."""
    if hasattr(config, "rewritten"):
        config.rewritten.cleanup()


def pytest_collection(session):
    """Look for no garbage while thousands of tests are collected, which are none: it takes a third of the time."""
    gc.disable()


def pytest_collection_finish(session):
    """Let what was collected stay out of looks for garbage, and look less often: tests make little of it."""
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


def pytest_terminal_summary(terminalreporter, config):
    """Print the table of faults where these were asked for: what held, case by case."""
    if config.option.markexpr == "faults" and not config.option.collectonly:
        write_table(terminalreporter)


@pytest.fixture(scope="session")
def held():
    """Hold the default network, for the commands of one process to share it as objects of one program do.

    Batches take it on one thread a call.
    """
    return [inference.load("general", "cpu", threads) for threads in (None, 1)]


@pytest.fixture
def run(held):
    """Run the command line in this process: quick, and all streams are captured."""

    def invoke(*arguments, stdin=None):
        return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin, prog_name="spnrefine")

    return invoke


PROGRAM = [sys.executable, "-m", "spnrefine"]
WARM = Path(__file__).parent / "warm"


@pytest.fixture(scope="session")
def warm(tmp_path_factory):
    """The words that start a process of the program which is forked from a warm one: see ``warm/server.py``."""
    if sys.platform != "linux":
        yield PROGRAM
        return
    address = tmp_path_factory.mktemp("warm") / "socket"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, WARM / "server.py", address], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout.readline() == b"ready\n"
        yield [sys.executable, "-IS", str(WARM / "client.py"), str(address)]
        server.terminate()  # its standard input may be open in others that were forked from here


@pytest.fixture
def shell(warm):
    """Run a line of bash with ``spnrefine`` as a process with real pipes: forked from a warm one unless cold."""

    def invoke(line, cwd, cold=False):
        function = f'spnrefine() {{ {shlex.join(PROGRAM if cold else warm)} "$@"; }}'
        script = f"set -o pipefail; {function}; {line}"
        return subprocess.run(["bash", "-c", script], cwd=cwd, capture_output=True, timeout=120, check=False)

    return invoke


@pytest.fixture(scope="session")
def drawn_pair(tmp_path_factory):
    """A drawn photograph and its coarse mask as files, for ``pair``."""
    folder = tmp_path_factory.mktemp("drawn")
    image, coarse = draw(80, 100, seed=7)
    Image.fromarray(image).save(folder / "photo.jpg", quality=95)
    Image.fromarray((coarse > 127).astype("uint8") * 255).save(folder / "coarse.png")
    return folder


@pytest.fixture
def pair(drawn_pair, tmp_path):
    """A drawn photograph and its coarse mask as files: photo.jpg and coarse.png, both 100 x 80."""
    for name in ("photo.jpg", "coarse.png"):
        shutil.copyfile(drawn_pair / name, tmp_path / name)
    return tmp_path / "photo.jpg", tmp_path / "coarse.png"
