"""The plot by the package that draws it, which is installed for this alone."""

import subprocess
import sys
import sysconfig

import numpy as np
import pytest
from PIL import Image

from tests.pictures import open_picture

DRAW = """
import sys
import numpy as np
from spnrefine.evaluate.calibration import tally
from spnrefine.evaluate.evaluation import Result
from spnrefine.evaluate.plots import plot
from spnrefine.evaluate.thresholds import errors_by_threshold
rng = np.random.default_rng(0)
p = rng.random((60, 80)).astype(np.float32)
truth, valid = rng.random((60, 80)) < p, np.ones((60, 80), bool)
result = Result(band=tally(p, truth, valid), by_threshold=[errors_by_threshold(p, truth, valid)])
for name in sys.argv[1:]:
    open(name, "wb").write(plot({"coarse": result, "refined": result}, name[name.rindex("."):]))
"""


@pytest.mark.slow  # installs a package
def test_a_plot_is_drawn_in_each_format(tmp_path):
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin/python", "-m", "pip", "install", "-q", "matplotlib>=3.8"], check=True)
    site = next(venv.glob("lib/python*/site-packages"))
    (site / "last.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    names = [str(tmp_path / f"plot{suffix}") for suffix in (".png", ".svg", ".pdf")]
    done = subprocess.run([venv / "bin/python", "-c", DRAW, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    picture = open_picture(tmp_path / "plot.png")
    assert isinstance(picture, Image.Image)
    assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    text = (tmp_path / "plot.svg").read_text()
    assert text.count("<path") > 40
    assert (tmp_path / "plot.pdf").read_bytes().startswith(b"%PDF")
