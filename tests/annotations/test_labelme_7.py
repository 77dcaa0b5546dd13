"""LabelMe 7: masks as it lays them, locked shapes, and the photograph that a file holds itself."""

import base64
import json

import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, save_photograph
from tests.annotations.test_labelme import labelme, picture, shape

PICTURE = np.random.default_rng(0).random((6, 8)) < 0.5
FULL = [[20.0, 10.0], [27.0, 15.0]]


def as_labelme_lays(points):
    """What labelme 7.9.1 makes of a mask (labelme/_utils/_mask.py, shapes_to_label)."""
    mask = np.zeros(SIZE, bool)
    points = np.asarray(points, float)
    (x1, y1), (x2, y2) = points.round().astype(int)
    high, wide = (y2 - y1 + 1, x2 - x1 + 1) if np.array_equal(points, np.trunc(points)) else PICTURE.shape
    top, bottom, left, right = max(y1, 0), min(y1 + high, SIZE[0]), max(x1, 0), min(x1 + wide, SIZE[1])
    if top < bottom and left < right:
        mask[top:bottom, left:right] = PICTURE[top - y1 : bottom - y1, left - x1 : right - x1]
    return mask


@pytest.fixture
def path(tmp_path):
    save_photograph(tmp_path / "photo.png")
    return tmp_path / "photo.json"


def write(path, *shapes, **more):
    path.write_text(json.dumps(labelme() | {"shapes": shapes} | more))
    return path


@pytest.mark.parametrize(
    "points",
    [
        FULL,
        [[20.0, 10.0], [25.0, 13.0]],  # smaller than its picture: cropped
        [[20.5, 10.5], [27.5, 15.5]],  # halves go to the even pixel, and the picture says the size
        [[21.5, 11.5], [25.0, 13.0]],
        [[20.2, 10.0], [25.0, 13.0]],
        [[-3.0, 10.0], [4.0, 15.0]],
        [[-3.4, -2.6], [4.1, 2.2]],
        [[96.0, 77.0], [103.0, 82.0]],
        [[200.0, 10.0], [207.0, 15.0]],
        [[-50.0, -50.0], [-43.0, -45.0]],
        [[27.0, 15.0], [20.0, 10.0]],
    ],
)
def test_masks_lie_where_labelme_lays_them(path, points):
    (item,) = open_document(write(path, shape("mask", points, mask=picture(PICTURE)))).items
    np.testing.assert_array_equal(item.read(SIZE), as_labelme_lays(points))
    check_untouched(open_document(path))


def test_locked_shapes_are_left_alone(path):
    free, locked = (shape("mask", FULL, mask=picture(PICTURE), locked=is_locked) for is_locked in (False, True))
    assert [item.name for item in open_document(write(path, locked, free)).items] == ["photo.json#1"]
    assert open_document(write(path, locked)).items == []


def test_the_photograph_in_the_file_stands_in_for_one_that_is_gone(path, run):
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(pixels).save(path.parent / "photo.png")
    data = base64.b64encode((path.parent / "photo.png").read_bytes()).decode()
    write(path, labelme()["shapes"][0], imageData=data)
    (item,) = open_document(path).items
    assert item.picture == path.parent / "photo.png"
    (path.parent / "photo.png").unlink()
    (item,) = open_document(path).items
    assert (item.photograph, item.picture) == (path, base64.b64decode(data))
    assert item.read(SIZE).area
    item.write(Boxed.of(blob()))
    result = run("batch", path, "-o", path.parent / "out.json", "--overlay", path.parent / "look", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["image"] == str(path)
    assert json.loads((path.parent / "out.json").read_text())["imageData"] == data
    with Image.open(path.parent / "look" / "photo.jpg") as overlay:
        assert overlay.size == SIZE[::-1]


@pytest.mark.parametrize("data", ["AAAA", "not base64!"])
def test_a_damaged_photograph_in_the_file_is_one_sentence(path, run, data):
    write(path, labelme()["shapes"][0], imageData=data, imagePath="gone.png")
    (path.parent / "photo.png").unlink()
    result = run("batch", path, "-o", path.parent / "out.json", "--json")
    assert result.exit_code == 1
    error = json.loads(result.stdout)["error"]
    assert "holds a photograph (imageData) that cannot be read" in error


def test_without_either_the_item_fails(path):
    (path.parent / "photo.png").unlink()
    for data in (None, "", 5):
        (item,) = open_document(write(path, labelme()["shapes"][0], imageData=data)).items
        with pytest.raises(FileError, match="does not exist"):
            item.read(SIZE)
