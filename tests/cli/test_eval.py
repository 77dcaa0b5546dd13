import json

import numpy as np
import pytest
from PIL import Image

from tests.model.make_check import draw


@pytest.fixture
def folders(tmp_path):
    """Three drawn cases; the truth is known from how they are drawn: the coarse mask moved back."""
    for seed in (1, 2, 3):
        image, coarse = draw(80, 100, seed)
        truth = np.roll(coarse, (-3, 4), (0, 1))
        truth = np.where(truth > 127, 255, 0).astype(np.uint8)
        truth[:2] = 128
        coarse = np.roll(truth, 4, 1)
        for folder, array in (("images", image), ("coarse", coarse), ("truth", truth)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / folder / f"{seed}.png")
    return tmp_path


def evaluate(run, folders, *arguments):
    places = [part for name in ("images", "coarse", "truth") for part in (f"--{name}", folders / name)]
    return run("eval", *places, *arguments)


def test_it_prints_before_and_after(run, folders):
    result = evaluate(run, folders, "--json", "--details")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    rows = printed["results"]
    assert rows["coarse"]["error_removed"] == rows["coarse"]["made_worse"] == 0
    assert rows["spnrefine general"]["iou"] > rows["coarse"]["iou"]
    assert rows["spnrefine general"]["masks"] == 3
    assert [row["stem"] for row in printed["images"]] == ["1", "2", "3"]
    mean = np.mean([row["spnrefine general"] for row in printed["images"]])
    assert rows["spnrefine general"]["iou"] == pytest.approx(mean, abs=1e-4)
    assert {"torch", "numpy"} <= set(printed["versions"])


def test_a_floor_that_is_missed_fails(run, folders):
    assert evaluate(run, folders, "--min-iou", "0.1").exit_code == 0
    result = evaluate(run, folders, "--min-iou", "1.0", "--min-error-removed", "1.1")
    assert result.exit_code == 1
    assert "iou is" in result.stderr
    assert "error_removed is" in result.stderr


@pytest.mark.parametrize("folder", ["images", "coarse"])
def test_a_missing_partner_is_named(run, folders, folder):
    (folders / folder / "2.png").unlink()
    result = evaluate(run, folders)
    assert result.exit_code == 1
    assert f"{folder} holds 0 files named 2.*" in result.stderr


def test_sizes_that_differ_are_named(run, folders):
    Image.new("L", (10, 20)).save(folders / "truth" / "2.png")
    result = evaluate(run, folders)
    assert result.exit_code == 1
    assert "(20, 10)" in result.stderr
