"""Whose photograph it is: a bare name stands for a path only where nothing else goes by it."""

import json

import pytest

from spnrefine.annotations.document import open_document
from spnrefine.annotations.photograph_names import Photographs, shared
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, save_photograph

POINTS = [20, 10, 80, 12, 75, 60, 22, 66]


@pytest.fixture
def tree(tmp_path):
    """Annotations of two cameras whose photographs have one name, of which one camera's folder is there."""
    save_photograph(tmp_path / "photos" / "cam1" / "1.jpg")
    names = ["cam1/1.jpg", "cam2/1.jpg"]
    coco = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "annotations": [{"id": number, "image_id": number, "segmentation": [POINTS]} for number in range(2)],
    }
    (tmp_path / "c.json").write_text(json.dumps(coco))
    for name in ("cam1", "cam2"):
        (tmp_path / "yolo" / name).mkdir(parents=True)
        (tmp_path / "yolo" / name / "1.txt").write_text("0 " + " ".join(f"{value / 100}" for value in POINTS))
        shapes = [{"points": [POINTS[i : i + 2] for i in range(0, 8, 2)], "shape_type": "polygon"}]
        (tmp_path / "labelme" / name).mkdir(parents=True)
        (tmp_path / "labelme" / name / "1.json").write_text(json.dumps({"imagePath": "1.jpg", "shapes": shapes}))
    return tmp_path


@pytest.mark.parametrize("document", ["c.json", "yolo", "labelme"])
def test_another_folders_photograph_is_not_taken(tree, document):
    pytest.importorskip("pycocotools")
    one, other = open_document(tree / document, tree / "photos" / "cam1").items
    assert one.problem is None
    assert one.photograph.samefile(tree / "photos" / "cam1" / "1.jpg")
    with pytest.raises(
        FileError, match=r"cam2/1\.jpg, which does not exist, and shares its bare name with cam1/1\.jpg: give"
    ):
        other.read(SIZE)


def test_a_photograph_without_masks_counts_as_well(tree):
    """Only cam2 has masks, and only cam1's photograph is there."""
    pytest.importorskip("pycocotools")
    coco = json.loads((tree / "c.json").read_text())
    (tree / "c.json").write_text(json.dumps(coco | {"annotations": coco["annotations"][1:]}))
    (tree / "yolo" / "cam1" / "1.txt").write_text("0 0.5 0.5 0.2 0.2")
    labelme = json.loads((tree / "labelme" / "cam1" / "1.json").read_text())
    (tree / "labelme" / "cam1" / "1.json").write_text(json.dumps(labelme | {"shapes": []}))
    for document in ("c.json", "yolo", "labelme"):
        (item,) = open_document(tree / document, tree / "photos" / "cam1").items
        with pytest.raises(FileError, match="shares its bare name with"):
            item.read(SIZE)


@pytest.mark.parametrize("document", ["c.json", "yolo", "labelme"])
def test_in_a_flat_folder_a_name_of_two_is_neithers(tree, document):
    pytest.importorskip("pycocotools")
    save_photograph(tree / "flat" / "1.jpg")
    for item in open_document(tree / document, tree / "flat").items:
        with pytest.raises(FileError, match="give the folder that holds them all"):
            item.read(SIZE)


@pytest.mark.parametrize("document", ["c.json", "yolo", "labelme"])
def test_both_are_found_under_their_own_names(tree, document):
    pytest.importorskip("pycocotools")
    save_photograph(tree / "photos" / "cam2" / "1.jpg")
    items = open_document(tree / document, tree / "photos").items
    assert [item.problem for item in items] == [None, None]
    assert [item.photograph.parent.name for item in items] == ["cam1", "cam2"]


def test_a_bare_name_that_is_the_only_one_will_do(tmp_path):
    photograph = save_photograph(tmp_path / "1.jpg")
    photographs = Photographs([tmp_path])
    for name in ("/mnt/other/cam1/1.jpg", r"C:\pictures\1.jpg"):
        assert photographs.find("item", [name]) == (photograph, None)
    assert set(shared(photographs.claims)) == {"item"}
    photographs = Photographs([tmp_path])
    assert photographs.find("item", ["cam1/1.jpg"]) == photographs.find("item2", ["./cam1/1.jpg"])
    assert not shared(photographs.claims)


def test_the_extension_may_be_upper_case(tmp_path):
    photograph = save_photograph(tmp_path / "images" / "IMG_1.JPG")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "IMG_1.txt").write_text("0 0.2 0.1 0.8 0.1 0.8 0.6")
    (item,) = open_document(tmp_path / "labels").items
    assert item.photograph == photograph
    assert item.read(SIZE).area
