"""The guard before the rasterisers: what is just past its bounds is refused, and never handed on."""

import json

import cv2
import numpy as np
import pytest

from spnrefine.annotations import outlines
from spnrefine.annotations.document import open_document
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, save_photograph

pytestmark = pytest.mark.faults

HEIGHT, WIDTH = SIZE


def zigzag(length):
    """An outline in the picture that is so many pixels long, and a little."""
    turns = int(np.ceil(length / WIDTH)) // 2 + 1
    return [[WIDTH * (number % 2), number % HEIGHT] for number in range(2 * turns)]


def flat(points):
    return [number for point in points for number in point]


def shares(points):
    return " ".join(f"{x / WIDTH:.6f} {y / HEIGHT:.6f}" for x, y in points)


def coco(*polygons):
    images = [{"id": 1, "file_name": "a.png"}]
    return json.dumps({"images": images, "annotations": [{"id": 1, "image_id": 1, "segmentation": polygons}]})


def supervisely(points):
    figure = {"geometryType": "polygon", "points": {"exterior": points, "interior": []}}
    return json.dumps({"size": {"width": WIDTH, "height": HEIGHT}, "objects": [figure]})


def geojson(points):
    geometry = {"type": "Polygon", "coordinates": [points]}
    return json.dumps({"type": "Feature", "geometry": geometry, "properties": {"objectType": "annotation"}})


def cvat(points):
    told = ";".join(f"{x},{y}" for x, y in points)
    image = f'<image id="0" name="a.png" width="{WIDTH}" height="{HEIGHT}"><polygon label="x" points="{told}"/></image>'
    return f"<annotations>{image}</annotations>"


def label_studio(points):
    value = {"points": [[100 * x / WIDTH, 100 * y / HEIGHT] for x, y in points], "polygonlabels": ["x"]}
    size = {"original_width": WIDTH, "original_height": HEIGHT}
    result = [{"id": "r", "type": "polygonlabels", "value": value, **size}]
    return json.dumps([{"data": {"image": "a.png"}, "annotations": [{"result": result}]}])


FORMATS = {
    "coco": lambda points: coco(flat(points)),
    "labelme": lambda points: json.dumps({"imagePath": "a.png", "shapes": [{"points": points}]}),
    "yolo": lambda points: f"0 {shares(points)}\n",
    "supervisely": supervisely,
    "geojson": geojson,
    "cvat": cvat,
    "label_studio": label_studio,
}


@pytest.fixture
def item(tmp_path):
    def make(text, format="coco"):
        save_photograph(tmp_path / "images" / "a.png")
        (tmp_path / "labels").mkdir()
        name = {"yolo": "a.txt", "cvat": "a.xml"}.get(format, "a.json")
        (tmp_path / "labels" / name).write_text(text)
        (one,) = open_document(tmp_path / "labels" / (name if format != "yolo" else ""), tmp_path / "images").items
        return one

    return make


@pytest.fixture
def unreached(monkeypatch):
    """Let the test fail where a rasteriser is called."""
    tool = pytest.importorskip("pycocotools.mask")
    monkeypatch.setattr(tool, "frPyObjects", lambda *_: pytest.fail("it was handed on"))
    monkeypatch.setattr(cv2, "fillPoly", lambda *_: pytest.fail("it was handed on"))


@pytest.mark.parametrize("format", FORMATS)
def test_an_outline_that_is_too_long_is_refused(item, unreached, format):
    points = zigzag(outlines.MIN_LENGTH + WIDTH)
    with pytest.raises(FileError, match=f"pixels long, and on {WIDTH} x {HEIGHT} pixels at most 100000 are read"):
        item(FORMATS[format](points), format).read(SIZE)


@pytest.mark.parametrize("format", FORMATS)
def test_an_outline_that_is_just_not_too_long_is_filled(item, format):
    assert item(FORMATS[format](zigzag(outlines.MIN_LENGTH - 5 * WIDTH)), format).read(SIZE).area


def test_the_polygons_of_a_mask_count_together(item, unreached):
    half = flat(zigzag(outlines.MIN_LENGTH / 2 + WIDTH))
    with pytest.raises(FileError, match="pixels long"):
        item(coco(half, half)).read(SIZE)


def test_too_many_points_are_refused(item, unreached, monkeypatch):
    monkeypatch.setattr(outlines, "MAX_POINTS", 1000)
    with pytest.raises(FileError, match="outlines of 1001 points, and at most 1000"):
        item(coco([50, 40] * 1001)).read(SIZE)


@pytest.mark.parametrize("number", ["401", "-401", "1e300", "-1e300", "1e999", "NaN", "Infinity", "1" + "0" * 400])
@pytest.mark.parametrize("format", FORMATS)
def test_a_point_far_outside_is_refused(item, unreached, format, number):
    text = FORMATS[format]([[1, 2], [71, 3], [72, 63], [5, 62]])
    one = next(one for one in ("0.710000", "71.0", "71") if one in text)  # a share, a percentage, pixels
    text = text.replace(one, number)
    with pytest.raises(
        FileError, match=r"far outside|finite|not whole JSON|all numbers|outside 0\.\.1|should|known format"
    ):
        item(text, format).read(SIZE)


def test_coordinates_are_bounded_on_the_longest_picture_too():
    with pytest.raises(FileError, match="far outside"):
        outlines.check_points("x", np.array([[0, 0], [outlines.MAX_COORDINATE + 1, 0], [0, 1]]), (1, 200_000_000))
    with pytest.raises(FileError, match="far outside"):
        outlines.check_points("x", np.array([[0, 0], [np.nan, 0], [0, 1]]), SIZE)


def test_a_mask_at_its_worst_is_still_read():
    """An outline along every edge between the pixels of a large photograph, there and back."""
    assert outlines.longest((800, 700)) > 2 * 2 * 800 * 700


@pytest.mark.parametrize("format", ["coco", "labelme", "cvat"])
def test_shares_in_place_of_pixels_are_told(item, unreached, format):
    with pytest.raises(FileError, match="as shares of width and height do: convert its points to pixels"):
        item(FORMATS[format]([[0.2, 0.2], [0.8, 0.25], [0.5, 0.9]]), format).read(SIZE)


@pytest.mark.parametrize("rings", [[[0, 0, 1, 0, 1, 1, 0, 1]], [[0, 0.5, 1, 0, 1, 1], [5, 5, 9, 5, 9, 9]]])
def test_a_corner_pixel_is_none_of_them(item, rings):
    assert item(coco(*rings)).read(SIZE).area
