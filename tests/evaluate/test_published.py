"""The measures beside the libraries that are said to hold the published ones."""

import json
import subprocess
import sys

import numpy as np
import pytest

from spnrefine.evaluate.metrics import PUBLISHED, inner_band, iou, score
from tests.evaluate.test_metrics import accuracy_by_definition, blob

PACKAGE = "faster-coco-eval==1.8.0"
BANDS = """
import json, sys
import numpy as np
from faster_coco_eval.core import mask as coco
for name in sys.argv[1:]:
    rles = [coco.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in np.load(name)]
    bands = [coco.rleToBoundary(rle) for rle in rles]
    print(json.dumps([int(coco.area(band)) for band in bands] + [float(coco.iou(bands[:1], bands[1:], [0])[0, 0])]))
"""


@pytest.mark.slow  # installs a package
def test_boundary_iou_is_that_of_the_published_code(tmp_path):
    venv, python = tmp_path / "venv", tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    install = [python, "-m", "pip", "install", "-q", PACKAGE, "numpy"]
    subprocess.run(install, check=True)
    shapes = [(60, 80), (301, 223), (512, 512)]
    for number, shape in enumerate(shapes):
        np.save(tmp_path / f"{number}.npy", np.stack(blob(shape, number)))
    names = [str(tmp_path / f"{number}.npy") for number in range(len(shapes))]
    done = subprocess.run([python, "-c", BANDS, *names], check=True, capture_output=True, text=True)
    for number, (shape, line) in enumerate(zip(shapes, done.stdout.splitlines(), strict=True)):
        *areas, theirs = json.loads(line)
        bands = [inner_band(mask, PUBLISHED.width(*shape)) for mask in blob(shape, number)]
        assert [int(band.sum()) for band in bands] == areas
        assert iou(*bands) == pytest.approx(theirs, abs=1e-6)
        mask, truth = blob(shape, number)
        ours, by_definition = score(mask, truth), accuracy_by_definition(mask, truth, PUBLISHED.radii(*shape))
        assert ours.biou == pytest.approx(theirs, abs=1e-6)
        assert ours.mba == pytest.approx(by_definition, abs=1e-6)
        figures = " | ".join(f"{figure:.6f}" for figure in (ours.biou, theirs, ours.mba, by_definition))
        print(f"| {shape[1]} x {shape[0]} | {figures} |")  # a row of docs/results.md
        assert 0.05 < theirs < 0.95
