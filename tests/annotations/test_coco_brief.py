"""COCO's annotations are held in brief: what they say is read again from the text, and little else is in memory."""

import json
import pickle
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.coco_brief import Brief, brief, brief_result
from spnrefine.annotations.document import open_document
from spnrefine.annotations.json_spans import Kept, parse, read_object

RING = [4.5, 3.25, 20.75, 3.5, 20.25, 17.75, 4.25, 17.5]


@pytest.fixture
def annotations(tmp_path):
    """Write an annotation file of so many polygons, each of so many times four points."""

    def write(count, times=1, spaces=""):
        Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
        found = [
            {"id": number, "image_id": 1, "bbox": [4.0, 3.0, 17.0, 15.0], "segmentation": [RING * times], "area": 9.5}
            for number in range(count)
        ]
        value = {"images": [{"id": 1, "file_name": "a.png"}], "annotations": found}
        (tmp_path / "a.json").write_text(spaces + json.dumps(value))
        return tmp_path / "a.json"

    return write


@pytest.mark.parametrize("spaces", ["", "\ufeff \n"])
def test_what_an_item_says_stands_in_the_text(annotations, spaces):
    items = open_document(annotations(2, spaces=spaces)).items
    assert [item.held for item in items] == [item.text.rindex(f'{{"id": {item.identity}') for item in items]
    assert all(item.found["segmentation"] == [RING] for item in items)
    items[1].write(_moved(items[1].read((20, 30))))
    before = [item.text[slice(*item.found.spans["bbox"])] for item in items]
    assert before == ["[4.0, 3.0, 17.0, 15.0]"] * 2
    assert [items[1].text[edit.start : edit.end] for edit in items[1].edits] == [json.dumps([RING]), "9.5", before[1]]


def test_an_item_that_is_sent_is_small_and_can_be_read(annotations):
    item = open_document(annotations(2000)).items[7]
    data = pickle.dumps(item.to_read())
    assert len(data) < 3000
    np.testing.assert_array_equal(np.asarray(pickle.loads(data).read((20, 30))), np.asarray(item.read((20, 30))))
    assert isinstance(item.held, int)


def test_coordinates_are_not_held(annotations):
    path = annotations(300, times=20)
    open_document(path)  # imports
    tracemalloc.start()
    try:
        document = open_document(path)
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(document.items) == 300
    assert held < 2.5 * path.stat().st_size
    assert most < 5 * path.stat().st_size


@pytest.mark.parametrize(
    ("found", "form"),
    [
        ({"id": 1, "segmentation": [RING], "extra": [1]}, "polygons"),
        ({"segmentation": {"size": [2, 2], "counts": [4]}}, "counts"),
        ({"segmentation": {"size": [2, 2], "counts": "4"}}, "compressed"),
        ({"id": 2, "segmentation": []}, None),
        ({"bbox": [1, 2, 3, 4], "score": 0.5}, None),
    ],
)
def test_of_an_annotation_its_short_values_and_form_are_held(found, form):
    text = "[ " + json.dumps(found) + "]"
    (held,) = parse(text, "a.json", [Kept({}, brief)])
    assert isinstance(held, Brief)
    assert held == {name: found[name] for name in ("id", "score") if name in found} | {"segmentation": form}
    assert read_object(text, held.start) == found


@pytest.mark.parametrize(
    ("found", "is_one"),
    [
        ({"image_id": 1, "segmentation": [RING]}, True),
        ({"image_id": 1, "bbox": [1, 2, 3, 4]}, True),
        ({"image_id": 1, "caption": "a cat"}, False),
        ({"type": "Feature", "bbox": [1, 2, 3, 4], "image_id": 1}, False),
        ({"id": 1, "data": {}, "annotations": [], "image_id": 1, "bbox": []}, False),
    ],
)
def test_of_a_list_what_can_be_nothing_but_a_result_is_held_in_brief(found, is_one):
    (held,) = parse(json.dumps([found]), "a.json", [Kept({}, brief_result)])
    assert isinstance(held, Brief) == is_one
    assert is_one or held == found


def _moved(mask):
    whole = np.roll(np.asarray(mask), 1, axis=1)
    return type(mask).of(whole)
