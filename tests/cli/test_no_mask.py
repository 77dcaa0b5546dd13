"""Photographs without masks, through the models that ship."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from spnrefine.model import weights
from tests.pictures import open_picture

EXAMPLES = Path(__file__).parents[2] / "examples"


def pixels(path):
    return np.asarray(open_picture(path))


@pytest.fixture
def photo(tmp_path):
    (tmp_path / "astronaut.jpg").write_bytes((EXAMPLES / "astronaut.jpg").read_bytes())
    return tmp_path / "astronaut.jpg"


def test_the_object_is_found_and_refined(run, photo):
    assert run(photo, "-o", photo.with_name("a.png")).exit_code == 0
    kept = run(photo, "--max-change", "0", "-o", photo.with_name("coarse.png"))
    assert kept.exit_code == 0
    assert kept.stderr.startswith(f"{photo}: ")  # there is no mask to name
    found, coarse = (pixels(photo.with_name(name)) > 0 for name in ("a.png", "coarse.png"))
    assert found[400, 200]  # the suit
    assert found[100, 220]  # the face
    assert not found[:60, :60].any()
    assert 0.005 < (found != coarse).mean() < 0.2


def test_several_objects_are_all_found(run, tmp_path):
    image = np.full((240, 400, 3), (90, 140, 90), np.uint8)
    cat = pixels(EXAMPLES / "cat.jpg")
    for left in (20, 220):  # the same head twice, on grass green
        head = cv2.resize(cat[:, 60:420], (160, 160), interpolation=cv2.INTER_AREA)
        image[40:200, left : left + 160] = head
    Image.fromarray(image).save(tmp_path / "two.png")
    run(tmp_path / "two.png", "-o", tmp_path / "mask.png")
    mask = pixels(tmp_path / "mask.png") > 0
    assert mask[40:200, 20:180].mean() > 0.5
    assert mask[40:200, 220:380].mean() > 0.5
    assert mask[:, 185:215].mean() < 0.2


@pytest.mark.parametrize("kind", ["flat", "noise"])
def test_no_clear_object_gives_an_empty_mask_and_says_so(run, tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    Image.fromarray(noise if kind == "noise" else np.full_like(noise, 128)).save(tmp_path / "photo.png")
    result = run(tmp_path / "photo.png", "-o", tmp_path / "mask.png")
    assert result.exit_code == 0
    assert "no clear object" in result.stderr
    assert not pixels(tmp_path / "mask.png").any()


def test_a_folder_without_masks(run, photo):
    folder = photo.parent / "photos"
    folder.mkdir()
    photo.rename(folder / photo.name)
    Image.new("RGB", (80, 60), (9, 9, 9)).save(folder / "black.png")
    result = run("batch", folder, "-o", photo.parent / "out", "--records", "-", "--backbone", "object")
    assert result.exit_code == 0
    assert "1 empty, 1 made of 2" in result.stderr
    records = {Path(record["image"]).name: record for record in map(json.loads, result.stdout.splitlines())}
    assert records["astronaut.jpg"]["status"] == "made"
    assert records["black.png"]["status"] == "empty"
    assert records["astronaut.jpg"]["mask"] is None
    assert {path.name for path in (photo.parent / "out").iterdir()} == {"astronaut.png", "black.png"}


def test_a_face_becomes_a_palette_png_with_a_labelmap(run, photo):
    out = photo.parent / "out"
    assert run(photo, "--model", "face", "-o", f"{out}/").exit_code == 0
    picture = open_picture(out / "astronaut.png")
    assert picture.mode == "P"
    ids = np.asarray(picture)
    names = weights.describe("face").classes
    assert ids.max() < len(names)
    lines = [line for line in (out / "labelmap.txt").read_text().splitlines() if not line.startswith("#")]
    assert [line.split(":")[0] for line in lines] == list(names)
    palette = picture.getpalette()
    for number, line in enumerate(lines):
        assert [int(part) for part in line.split(":")[1].split(",")] == palette[3 * number : 3 * number + 3]
    assert names[ids[115, 222]] == "nose"
    assert names[ids[60, 200]] == "hair"
    assert names[ids[450, 200]] == "background"


def test_one_class_alone_is_a_binary_mask(run, photo):
    assert run(photo, "--model", "face", "--class", "hair", "-o", photo.with_name("hair.png")).exit_code == 0
    mask = pixels(photo.with_name("hair.png"))
    assert set(np.unique(mask)) == {0, 255}
    assert mask[60, 200]
    assert not mask[115, 222]


def test_a_class_that_is_not_there_is_one_sentence(run, photo):
    result = run(photo, "--model", "face", "--class", "beard", "-o", photo.with_name("beard.png"))
    assert result.exit_code == 1
    assert "beard" in result.stderr
    assert "hair" in result.stderr
    assert not photo.with_name("beard.png").exists()
