"""--alpha and --cutout, from the command line."""

import numpy as np
import pytest
from PIL import Image

from tests.pictures import open_picture


def pixels(path):
    return np.asarray(open_picture(path))


def test_a_matte_and_a_cut_out(run, pair, tmp_path):
    photo, coarse = pair
    matte, cutout = tmp_path / "matte.png", tmp_path / "cutout.png"
    result = run(photo, "--mask", coarse, "--alpha", "-o", matte, "--cutout", cutout)
    assert result.exit_code == 0, result.stderr
    alpha, rgba = pixels(matte), pixels(cutout)
    assert (alpha.dtype, alpha.shape, rgba.shape) == (np.uint8, (80, 100), (80, 100, 4))
    assert len(np.unique(alpha)) > 20
    np.testing.assert_array_equal(rgba[..., 3], alpha)
    sure = alpha == 255
    np.testing.assert_array_equal(rgba[sure, :3], pixels(photo)[sure])
    hard = run(photo, "--mask", coarse, "-o", tmp_path / "hard.png")
    assert hard.exit_code == 0
    assert ((alpha > 127) != (pixels(tmp_path / "hard.png") > 0)).mean() < 0.02


def test_a_folder_of_cut_outs(run, pair, tmp_path):
    photo, coarse = pair
    for folder in ("photos", "masks"):
        (tmp_path / folder / "a").mkdir(parents=True)
    photo.rename(tmp_path / "photos/a/photo.jpg")
    Image.fromarray(np.dstack([pixels(coarse)] * 4)).save(tmp_path / "masks/a/photo.png")
    command = ["batch", tmp_path / "photos", "--mask-dir", tmp_path / "masks", "-o", tmp_path / "out"]
    result = run(*command, "--alpha", "--cutout", tmp_path / "cut", "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    mask, rgba = pixels(tmp_path / "out/a/photo.png"), pixels(tmp_path / "cut/a/photo.png")
    np.testing.assert_array_equal(mask[..., 3], rgba[..., 3])
    assert run(*command, "--resume", "--dry-run").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--alpha", "--soft"), "--soft and --alpha were both given"),
        (("--alpha", "--labels"), "leave out --alpha"),
        (("--alpha", "--matting", "general"), "expected a network of mattes"),
        (("--cutout", "cut.bmp"), "A cut-out cannot be written"),
    ],
)
def test_what_cannot_be_is_said(run, pair, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    photo, coarse = pair
    if "--labels" in words:
        ids = np.where(np.arange(100) < 50, 3, 7)
        Image.fromarray(((pixels(coarse) > 0) * ids).astype(np.uint8)).save(coarse)
    result = run(photo, "--mask", coarse, "-o", tmp_path / "out.png", *words)
    assert result.exit_code in (1, 2)
    assert said in result.stderr


def test_annotations_have_no_mattes(run, tmp_path):
    (tmp_path / "a.json").write_text("{}")
    result = run("batch", tmp_path / "a.json", "-o", tmp_path / "b.json", "--alpha")
    assert result.exit_code == 2
    assert "--alpha was given with annotations" in result.stderr
