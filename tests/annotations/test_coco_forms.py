"""What holds COCO's segmentations and is not COCO's own file: results, LVIS, SA-1B, ids as text."""

import json

import numpy as np
import pytest

from spnrefine.annotations.document import open_document
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, holed, rewrite, save_photograph
from tests.annotations.test_coco import SIMPLE, annotation, compressed, counts

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

HEIGHT, WIDTH = SIZE
RESULTS = [
    {"image_id": 7, "category_id": 3, "segmentation": compressed(blob(1)), "score": 0.987},
    {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "score": 0.5},
    {"image_id": 7, "category_id": 1, "segmentation": counts(holed(2)), "score": 0.25},
]
ONE = annotation(1, compressed(blob(1)), blob(1))
IMAGE = {"id": 7, "file_name": "photo.png", "height": HEIGHT, "width": WIDTH}
LVIS = {
    "images": [{"id": 7, "coco_url": "http://images.org/val2017/photo.png", "height": HEIGHT, "width": WIDTH}],
    "annotations": [ONE],
}
SA1B = {
    "image": {"image_id": 7, "file_name": "photo.png", "height": HEIGHT, "width": WIDTH},
    "annotations": [{key: value for key, value in ONE.items() if key != "image_id"} | {"predicted_iou": 0.9}],
}
FORMS = {
    "LVIS": LVIS,
    "SA-1B": SA1B,
    "text": {"images": [IMAGE | {"id": "7"}], "annotations": [ONE]},
    "number": {"images": [IMAGE], "annotations": [ONE | {"image_id": "7"}]},
    "float": {"images": [IMAGE], "annotations": [ONE | {"image_id": 7.0}]},
    "address": {"images": [IMAGE | {"file_name": "https://images.org/a/photo.png?sig=%2F1"}], "annotations": [ONE]},
}


def save(folder, value, photograph="photo.png"):
    (folder / "images").mkdir(exist_ok=True)
    save_photograph(folder / "images" / photograph)
    (folder / "c.json").write_text(json.dumps(value))
    return folder / "c.json"


@pytest.mark.parametrize("form", FORMS)
def test_forms_are_read_and_written_back(tmp_path, form):
    document = open_document(save(tmp_path, FORMS[form]))
    assert document.format == (form if form == "SA-1B" else "COCO")
    (item,) = document.items
    assert item.photograph.name == "photo.png"
    np.testing.assert_array_equal(item.read(SIZE), blob(1))
    check_untouched(document)
    again = rewrite(document, 0, holed(), tmp_path / "images", tmp_path)
    np.testing.assert_array_equal(again.items[0].read(SIZE), holed())
    annotations = json.loads((tmp_path / "c.json").read_text())["annotations"]
    assert annotations[0]["area"] == holed().sum()


def test_images_that_share_an_id_are_nobodys(tmp_path):
    images = [IMAGE, IMAGE | {"file_name": "other.png"}, IMAGE | {"id": 8}, IMAGE | {"id": 8}]
    shared = {"images": images, "annotations": [ONE, ONE | {"id": 2, "image_id": 8}]}
    save(tmp_path, shared, "other.png")
    items = open_document(save(tmp_path, shared)).items
    assert "the image 7, which is both other.png and photo.png in c.json: give each image" in items[0].problem
    assert items[1].problem is None


def test_equal_texts_of_a_number_and_a_text_are_two_images(tmp_path):
    images = [IMAGE | {"id": "7", "file_name": "other.png"}, IMAGE]
    (item,) = open_document(save(tmp_path, {"images": images, "annotations": [ONE]})).items
    assert item.photograph.name == "photo.png"
    images.append(IMAGE | {"id": 7.5})
    (item,) = open_document(save(tmp_path, {"images": images, "annotations": [ONE | {"image_id": "7.5"}]})).items
    assert item.problem is None


@pytest.mark.parametrize("name", ["000000000007.png", "COCO_val2014_000000000007.png", "000000000007.JPG"])
def test_results_find_photographs_named_by_their_ids(tmp_path, name):
    document = open_document(save(tmp_path, RESULTS, name))
    assert document.format == "COCO results"
    assert [item.name for item in document.items] == ["c.json#[0]", "c.json#[2]"]
    np.testing.assert_array_equal(document.items[0].read(SIZE), blob(1))
    np.testing.assert_array_equal(document.items[1].read(SIZE), holed(2))
    check_untouched(document)
    rewrite(document, 1, blob(), tmp_path / "images", tmp_path)
    after = json.loads((tmp_path / "c.json").read_text())
    assert after[:2] == RESULTS[:2]
    assert after[2] == RESULTS[2] | {"segmentation": counts(blob())}


def test_results_take_names_from_the_file_of_images(tmp_path):
    path = save(tmp_path, RESULTS)
    save_photograph(tmp_path / "images" / "7.png")  # which may be the seventh of another count
    (item, _) = open_document(path).items
    with pytest.raises(FileError, match=r"has the image_id '7', of which no photograph is named: give --images-file"):
        item.read(SIZE)
    (tmp_path / "instances.json").write_text(json.dumps({"images": [IMAGE]}))
    for item in open_document(path, images_file=tmp_path / "instances.json").items:
        assert item.problem is None
        assert item.photograph.name == "photo.png"
    (tmp_path / "instances.json").write_text(json.dumps({"images": [IMAGE | {"id": 8}]}))
    with pytest.raises(FileError, match="belongs to no image"):
        open_document(path, images_file=tmp_path / "instances.json").items[0].read(SIZE)
    (tmp_path / "instances.json").write_text("[]")
    with pytest.raises(FileError, match=r"instances\.json holds no list of images"):
        open_document(path, images_file=tmp_path / "instances.json")


def test_results_may_name_their_photographs(tmp_path):
    for identity in ("photo.png", "photo"):
        path = save(tmp_path, [RESULTS[0] | {"image_id": identity}])
        assert open_document(path).items[0].photograph.name == "photo.png"


def test_a_folder_of_sa1b(tmp_path):
    (tmp_path / "sa").mkdir()
    for name in ("sa_1", "sa_2"):
        value = SA1B | {"image": SA1B["image"] | {"file_name": f"{name}.png"}}
        (tmp_path / "sa" / f"{name}.json").write_text(json.dumps(value))
        save_photograph(tmp_path / "photos" / f"{name}.png")
    document = open_document(tmp_path / "sa", tmp_path / "photos")
    assert [(item.name, item.photograph.name) for item in document.items] == [
        ("sa_1.json#1", "sa_1.png"),
        ("sa_2.json#1", "sa_2.png"),
    ]
    check_untouched(document)


def test_a_file_of_boxes_alone_is_refused(tmp_path):
    box = {"image_id": 7, "id": 1, "bbox": [1, 2, 3, 4]}
    for value in ([box], {"images": [IMAGE], "annotations": [box | {"segmentation": SIMPLE[:0]}]}):
        with pytest.raises(FileError, match="holds 1 objects, but no mask and no polygon to refine"):
            open_document(save(tmp_path, value))
    assert open_document(save(tmp_path, {"images": [IMAGE], "annotations": []})).items == []  # there is nothing to do
