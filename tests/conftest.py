import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image

from spnrefine.cli import main
from tests.faults import write_table
from tests.model.make_check import draw


def pytest_configure(config):
    """Let two processes test side by side, neither spinning while it waits.

    OpenMP's threads spin at the end of each loop, which takes the core from the other process; the processes that
    pytest-xdist starts, and what they start, inherit how to wait.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def pytest_terminal_summary(terminalreporter, config):
    """Print the table of faults where these were asked for: what held, case by case."""
    if config.option.markexpr == "faults" and not config.option.collectonly:
        write_table(terminalreporter)


@pytest.fixture
def run():
    """Run the command line in this process: quick, and all streams are captured."""

    def invoke(*arguments, stdin=None):
        return CliRunner().invoke(main, [str(a) for a in arguments], input=stdin, prog_name="spnrefine")

    return invoke


@pytest.fixture
def shell():
    """Run a line of bash with ``spnrefine`` as a real process with real pipes."""

    def invoke(line, cwd):
        function = f'spnrefine() {{ "{sys.executable}" -m spnrefine "$@"; }}'
        script = f"set -o pipefail; {function}; {line}"
        return subprocess.run(["bash", "-c", script], cwd=cwd, capture_output=True, timeout=120, check=False)

    return invoke


@pytest.fixture
def pair(tmp_path):
    """A drawn photograph and its coarse mask as files: photo.jpg and coarse.png, both 100 x 80."""
    image, coarse = draw(80, 100, seed=7)
    Image.fromarray(image).save(tmp_path / "photo.jpg", quality=95)
    Image.fromarray((coarse > 127).astype("uint8") * 255).save(tmp_path / "coarse.png")
    return tmp_path / "photo.jpg", tmp_path / "coarse.png"
