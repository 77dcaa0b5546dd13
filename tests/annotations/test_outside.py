"""Photographs that an annotation file names, but that lie outside the given folders, are not opened."""

import json

import pytest

from spnrefine.annotations.document import open_document
from spnrefine.errors import FileError
from tests.annotations import test_cvat, test_label_studio, test_panoptic
from tests.annotations.making import SIZE, save_photograph

pytestmark = pytest.mark.faults

pytest.importorskip("pycocotools")


def coco(name, key="file_name"):
    polygon = [20, 10, 80, 12, 75, 60, 22, 66]
    return {"images": [{"id": 1, key: name}], "annotations": [{"id": 1, "image_id": 1, "segmentation": [polygon]}]}


def labelme(name):
    return {"imagePath": name, "shapes": [{"shape_type": "polygon", "points": [[20, 10], [80, 12], [75, 60]]}]}


def label_studio(name):
    text = json.dumps(test_label_studio.export())
    value = json.loads(text)
    for task in value:
        task["data"] = {"image": name}
    return value


FORMS = {
    "coco": coco,
    "lvis": lambda name: coco(name, "coco_url"),
    "labelme": labelme,
    "label_studio": label_studio,
    "cvat": lambda name: test_cvat.XML.replace('name="', f'name="{name}" was="'),
}
NAMES = {
    "absolute": "{secret}",
    "above": "../private/secret.png",
    "far above": "../../../../../../../../../..{secret}",
    "of windows": "..\\private\\secret.png",
    "file address": "file://{secret}",
    "address": "https://host/..{secret}",
    "encoded": "https://host/%2e%2e/private/secret.png",
    "local file": "/data/local-files/?d={secret}",
    "link": "link.png",
    "linked folder": "inside/secret.png",
}


@pytest.fixture
def secret(tmp_path):
    """A file outside, to which links lead from within the folder of the photographs."""
    found = save_photograph(tmp_path / "private" / "secret.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "photos" / "link.png").symlink_to(found)
    (tmp_path / "photos" / "inside").symlink_to(found.parent)
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_nothing_outside_is_opened(tmp_path, secret, form, name):
    value = FORMS[form](name.format(secret=secret))
    path = tmp_path / "labels" / ("a.xml" if form == "cvat" else "a.json")
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    items = open_document(path, tmp_path / "photos").items
    assert items
    for item in items:
        with pytest.raises(FileError, match=r"lies outside the folders of the photographs: give|does not exist"):
            item.read(SIZE)


@pytest.mark.parametrize("name", ["{inside}", "../photos/a.png", "link.png", "sub/../a.png", "..\\photos\\a.png"])
def test_what_leads_inside_again_is_opened(tmp_path, name):
    photograph = save_photograph(tmp_path / "photos" / "a.png")
    (tmp_path / "photos" / "sub").mkdir()
    (tmp_path / "photos" / "link.png").symlink_to(photograph)
    (tmp_path / "labels").mkdir()
    path = tmp_path / "labels" / "a.json"
    path.write_text(json.dumps(labelme(name.format(inside=photograph))))
    (item,) = open_document(path, tmp_path / "photos").items
    assert item.read(SIZE).area
    assert item.photograph.samefile(photograph)


def test_a_link_to_a_folder_of_photographs_is_that_folder(tmp_path, secret):
    (item,) = _open(tmp_path, labelme("secret.png"), tmp_path / "photos" / "inside")
    assert item.problem is None


def test_the_sentence_says_what_to_give(tmp_path, secret):
    (item,) = _open(tmp_path, labelme("../private/secret.png"), None)
    assert item.problem == (
        "a.json#0 belongs to ../private/secret.png, which lies outside the folders of the photographs: give --images, "
        "the folder that holds it."
    )


def test_a_map_of_segments_outside(tmp_path, secret):
    (tmp_path / "labels" / "a").mkdir()
    test_panoptic.save_ids(tmp_path / "private" / "ids.png", test_panoptic.ids())
    (tmp_path / "labels" / "a" / "photo.png").symlink_to(tmp_path / "private" / "ids.png")
    save_photograph(tmp_path / "photos" / "photo.jpg")
    items = _open(tmp_path, test_panoptic.panoptic(test_panoptic.segment(7)), tmp_path / "photos")
    assert [item.problem for item in items] == [
        f"a.json#photo.png/7 is a segment of {tmp_path / 'labels' / 'a' / 'photo.png'}, which does not exist, "
        "or leads out of the folder of a.json: put the PNG itself there."
    ]


def _open(tmp_path, value, images):
    path = tmp_path / "labels" / "a.json"
    path.write_text(json.dumps(value))
    return open_document(path, images).items
