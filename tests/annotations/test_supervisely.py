"""Supervisely: bitmaps of their own boxes, and polygons of whole pixels."""

import base64
import io
import json
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, holed, iou, parted, rewrite, save_photograph

BITMAP = parted(1)


def bitmap(mask, compress=True):
    """As Supervisely's library writes a mask (geometry/bitmap.py, data_2_base64)."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    image = Image.fromarray(mask[top : top + height, left : left + width].astype(np.uint8))
    image.putpalette([0, 0, 0, 255, 255, 255])
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", transparency=0, optimize=0)
    data = zlib.compress(buffer.getvalue()) if compress else buffer.getvalue()
    return {"data": base64.b64encode(data).decode(), "origin": [left, top]}


def figure(kind, **more):
    return {"id": 5, "classId": 7, "labelerLogin": "ü", "geometryType": kind, "tags": [], "classTitle": "cät", **more}


def supervisely(*figures):
    height, width = SIZE
    return {"description": "", "tags": [], "size": {"height": height, "width": width}, "objects": list(figures)}


EXTERIOR, INTERIOR = [[10, 10], [80, 12], [75, 60], [12, 66]], [[30, 20], [50, 20], [50, 40], [30, 40]]
POLYGON = figure("polygon", points={"exterior": EXTERIOR, "interior": [INTERIOR]})
BOX = figure("rectangle", points={"exterior": [[1, 2], [30, 40]], "interior": []})


@pytest.fixture
def folder(tmp_path):
    """A data set of two photographs, as it is downloaded."""
    for name in ("a.jpg", "b.png"):
        save_photograph(tmp_path / "ds" / "img" / name)
        (tmp_path / "ds" / "ann").mkdir(exist_ok=True)
        value = supervisely(figure("bitmap", bitmap=bitmap(BITMAP)), BOX, POLYGON)
        (tmp_path / "ds" / "ann" / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False, indent=4))
    return tmp_path / "ds" / "ann"


def test_a_folder_is_read_and_what_is_not_changed_stays(folder):
    document = open_document(folder)
    assert document.format == "Supervisely"
    assert [item.name for item in document.items] == ["a.jpg.json#0", "a.jpg.json#2", "b.png.json#0", "b.png.json#2"]
    assert [item.photograph.name for item in document.items] == ["a.jpg", "a.jpg", "b.png", "b.png"]
    np.testing.assert_array_equal(document.items[0].read(SIZE), BITMAP)
    canvas = np.zeros(SIZE, np.uint8)
    cv2.fillPoly(canvas, [np.array(EXTERIOR)], color=1)  # as its library draws a polygon
    cv2.fillPoly(canvas, [np.array(INTERIOR)], color=0)
    np.testing.assert_array_equal(document.items[1].read(SIZE), canvas.astype(bool))
    check_untouched(document)


def test_a_whole_project_is_one_document(folder):
    document = open_document(folder.parents[1])
    assert [item.problem for item in document.items] == [None] * 4
    assert document.items[0].name == "ds/ann/a.jpg.json#0"


@pytest.mark.parametrize("compress", [True, False])
def test_a_bitmap_is_compressed_or_not(folder, compress):
    path = folder / "a.jpg.json"
    path.write_text(json.dumps(supervisely(figure("bitmap", bitmap=bitmap(BITMAP, compress)))))
    document = open_document(path)
    np.testing.assert_array_equal(document.items[0].read(SIZE), BITMAP)
    document.items[0].write(Boxed.of(holed()))
    assert json.loads(next(iter(document.outputs().values())))["objects"] == [figure("bitmap", bitmap=bitmap(holed()))]


@pytest.mark.parametrize("mask", [blob(), holed(), parted()], ids=["blob", "hole", "parts"])
def test_a_changed_figure_comes_back(folder, tmp_path, mask):
    images = folder.parent / "img"
    again = rewrite(open_document(folder, images, tolerance=0), 0, mask, images, tmp_path / "out")
    np.testing.assert_array_equal(again.items[0].read(SIZE), mask)
    again = rewrite(open_document(folder, images, tolerance=0), 1, mask, images, tmp_path / "out")
    assert iou(again.items[1].read(SIZE), mask) > 0.97
    points = json.loads((tmp_path / "out" / "a.jpg.json").read_text())["objects"][2]["points"]
    assert all(isinstance(number, int) for point in points["exterior"] for number in point)


@pytest.mark.parametrize(
    "figures",
    [
        figure("bitmap", bitmap={}),
        figure("bitmap", bitmap=bitmap(BITMAP) | {"origin": [-1, 0]}),
        figure("bitmap", bitmap=bitmap(BITMAP) | {"origin": [90, 0]}),
        figure("bitmap", bitmap=bitmap(BITMAP) | {"origin": "x"}),
        figure("bitmap", bitmap=bitmap(BITMAP) | {"data": "AAAA"}),
        figure("bitmap", bitmap=bitmap(BITMAP) | {"data": "not base64!"}),
        figure("bitmap", bitmap=bitmap(BITMAP) | {"data": 5}),
        figure("polygon"),
        figure("polygon", points={"exterior": EXTERIOR[:2], "interior": []}),
        figure("polygon", points={"exterior": EXTERIOR, "interior": 5}),
        figure("polygon", points={"exterior": EXTERIOR, "interior": [[[1, 2]]]}),
    ],
)
def test_a_bad_figure_is_one_sentence(folder, figures):
    path = folder / "a.jpg.json"
    path.write_text(json.dumps(supervisely(figures)))
    (item,) = open_document(path).items
    for act in (lambda: item.read(SIZE), lambda: item.write(Boxed.of(blob()))):
        with pytest.raises(FileError, match=r"^a\.jpg\.json#0 [^\n]*\.$"):
            act()


def test_boxes_alone_are_refused(folder):
    for path in folder.iterdir():
        path.write_text(json.dumps(supervisely(BOX)))
    with pytest.raises(FileError, match=r"\(Supervisely\) holds 2 objects, but no mask"):
        open_document(folder)
