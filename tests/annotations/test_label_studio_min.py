"""Label Studio's JSON-MIN: values without regions around them."""

import json

import numpy as np
import pytest

from spnrefine.annotations import brush
from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, holed, iou, rewrite, save_photograph

HEIGHT, WIDTH = SIZE
POLYGON = {"points": [[20.5, 12.5], [80, 15], [75.25, 75], [22, 82.5]], "closed": True, "polygonlabels": ["a"]}
BRUSH = {"format": "rle", "rle": brush.encode(Boxed.of(holed(3)), 255), "brushlabels": ["b"]}
BOX = {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0, "rectanglelabels": ["c"]}
SIZED = {"original_width": WIDTH, "original_height": HEIGHT}


def export(*values):
    entry = {"image": "/data/upload/3/0a1b2c3d-a%20b.png", "id": 5, "tag": [value | SIZED for value in values]}
    return [entry | {"annotator": 1, "annotation_id": 9, "created_at": "2026-01-01T00:00:00Z", "lead_time": 1.5}]


@pytest.fixture
def path(tmp_path):
    save_photograph(tmp_path / "images" / "a b.png")
    (tmp_path / "min.json").write_text(json.dumps(export(POLYGON, BOX, BRUSH), indent=1))
    return tmp_path / "min.json"


def test_values_are_read_and_all_else_stays(path):
    document = open_document(path)
    assert document.format == "Label Studio"
    assert [item.name for item in document.items] == ["min.json#5/[tag[0]]", "min.json#5/[tag[2]]"]
    assert [item.photograph.name for item in document.items] == ["a b.png"] * 2
    np.testing.assert_array_equal(document.items[1].read(SIZE), holed(3))
    polygon = np.zeros(SIZE, bool)
    polygon[20:50, 30:70] = True
    assert (polygon & ~np.asarray(document.items[0].read(SIZE))).sum() == 0
    check_untouched(document)


@pytest.mark.parametrize("index", [0, 1])
def test_a_changed_value_comes_back(path, tmp_path, index):
    again = rewrite(open_document(path, tolerance=0), index, blob(), tmp_path / "images", tmp_path / "images")
    assert iou(again.items[index].read(SIZE), blob()) == 1
    before, after = (json.loads((folder / "min.json").read_text()) for folder in (tmp_path, tmp_path / "images"))
    for old, new in zip(before[0]["tag"], after[0]["tag"], strict=True):
        assert {k: v for k, v in old.items() if k not in ("points", "rle")} == {
            k: v for k, v in new.items() if k not in ("points", "rle")
        }
    assert before[0] | {"tag": 0} == after[0] | {"tag": 0}


def test_boxes_alone_are_refused(path):
    path.write_text(json.dumps(export(BOX)))
    with pytest.raises(FileError, match=r"\(Label Studio\) holds 1 objects, but no mask"):
        open_document(path)
