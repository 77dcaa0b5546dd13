"""--doubt: where a mask may be wrong."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spnrefine.cli import main
from spnrefine.errors import FileError
from spnrefine.job.doubts import doubts
from spnrefine.job.types import Refined


def test_each_pixel_has_the_probability_to_be_wrong():
    before, after = np.array([[True, True, False]]), np.array([[True, False, False]])
    refined = Refined(np.array([[0.9, 0.2, 0.1]], np.float32), before, after)
    assert doubts(refined).tolist() == [[26, 51, 26]]
    assert doubts(refined, coarse=True).tolist() == [[26, 204, 26]]
    ids = Refined(np.array([[0.9, 0.6, 1]], np.float32), np.array([[3, 3, 0]]), np.array([[3, 5, 0]]))
    assert doubts(ids).tolist() == [[26, 102, 0]]
    assert doubts(ids, coarse=True).tolist() == [[26, 153, 0]]
    nothing = np.zeros((1, 3), int)
    assert not doubts(Refined(nothing.astype(np.float32), nothing, nothing)).any()
    with pytest.raises(FileError, match="several pages"):
        doubts(Refined(refined.probability, before, after, pages=(refined, refined)))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "masks/deep").mkdir(parents=True)
    (tmp_path / "deep").mkdir()
    image = np.full((60, 80, 3), 40, np.uint8)
    image[10:50, 20:60] = 200
    mask = np.zeros((60, 80), np.uint8)
    mask[14:54, 24:64] = 255  # four pixels off
    Image.fromarray(image).save(tmp_path / "deep/a.png")
    Image.fromarray(mask).save(tmp_path / "masks/deep/a.png")
    return tmp_path


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def read(path):
    with Image.open(path) as picture:
        assert picture.mode == "L"
        return np.array(picture)


def test_refine_batch_and_check_write_it(folder):
    photograph, mask = folder / "deep/a.png", folder / "masks/deep/a.png"
    one = run("refine", photograph, "--mask", mask, "-o", folder / "o.png", "--doubt", folder / "d.png", "--json")
    assert one.exit_code == 0, one.stderr
    of_refined = read(folder / "d.png")
    assert of_refined.max() <= 128  # each pixel is on the more probable side
    area = (read(folder / "o.png") > 127).sum()
    assert of_refined.sum() / 255 / area == pytest.approx(json.loads(one.stdout)["doubt"], abs=2e-3)
    assert "--cutout and --doubt" in run("refine", photograph, "--mask", mask, "-o", folder / "d.png", "--doubt",
                                         folder / "d.png").stderr  # fmt: skip

    command = "batch", folder, "-o", folder / "out", "--doubt", folder / "doubts"
    for more in ([], ["--resume"]):
        done = run(*command, *more)
        assert done.exit_code == 0, done.stderr
        assert np.array_equal(read(folder / "doubts/deep/a.png"), of_refined)

    command = "check", folder, "--mask-dir", folder / "masks", "--doubt", folder / "checked"
    assert run(*command).exit_code == 0
    of_coarse = read(folder / "checked/deep/a.png")
    coarse, right = read(mask) > 127, np.array(Image.open(photograph).convert("L")) > 100
    assert of_coarse[coarse != right].mean() > 200
    assert of_coarse[coarse == right].mean() < 20
    again = run(*command)
    assert again.exit_code == 1
    assert "exists" in again.stdout
    assert run(*command, "--overwrite").exit_code == 0
