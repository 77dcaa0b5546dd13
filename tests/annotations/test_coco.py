import json

import numpy as np
import pytest

from spnrefine.annotations import coco
from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError, MissingExtraError
from tests.annotations.making import SIZE, blob, check_untouched, holed, iou, parted, rewrite, save_photograph, speckled

tool = pytest.importorskip("pycocotools.mask")
COCO = pytest.importorskip("pycocotools.coco").COCO
# pycocotools' own arrays are older than NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def compressed(mask):
    rle = tool.encode(np.asfortranarray(mask, np.uint8))
    return {"size": list(mask.shape), "counts": rle["counts"].decode()}


def counts(mask):
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges.tolist(), flat.size]).tolist()
    return {"counts": [0, *runs] if flat[0] else runs, "size": list(mask.shape)}


def annotation(identity, segmentation, mask, **more):
    rle = compressed(mask)
    return {
        "id": identity,
        "image_id": 7,
        "category_id": 3,
        "iscrowd": 0,
        "segmentation": segmentation,
        "area": float(tool.area(rle)),
        "bbox": tool.toBbox(rle).tolist(),
        "attributes": {"ünï": "\u2603", "x": 1e-7},
        **more,
    }


SIMPLE = [[20.5, 10.25, 80, 12, 75.125, 60.0, 22, 66]]
PIECES = [[5, 5, 30, 5, 30, 30, 5, 30], [50, 40, 90, 40, 90, 70]]


def write(folder, *, with_compressed=True, **how):
    masks = [tool.decode(tool.merge(tool.frPyObjects(form, *SIZE))).astype(bool) for form in (SIMPLE, PIECES)]
    annotations = [
        annotation(11, SIMPLE, masks[0]),
        annotation(12, PIECES, masks[1]),
        annotation(13, counts(holed(5)), holed(5), iscrowd=1, area=int(holed(5).sum())),
        {"id": 14, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4], "segmentation": []},
        {"id": 15, "image_id": 7, "category_id": 1, "bbox": [1.50, 2, 3, 4]},
    ]
    if with_compressed:
        annotations.append(annotation(16, compressed(parted(2)), parted(2)))
    height, width = SIZE
    value = {
        "info": {"description": "schön", "year": 2017},
        "images": [{"id": 7, "file_name": "sub/photo.png", "height": height, "width": width}],
        "annotations": annotations,
        "categories": [{"id": 3, "name": "thing"}],
    }
    path = folder / "annotations.json"
    path.write_text(json.dumps(value, **how), encoding="utf-8")
    save_photograph(folder / "images" / "sub" / "photo.png")
    return path


@pytest.fixture
def path(tmp_path):
    return write(tmp_path)


@pytest.mark.parametrize(
    "how", [{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False, "indent": "\t"}]
)
def test_what_is_not_changed_is_left_byte_for_byte(tmp_path, how):
    document = open_document(write(tmp_path, **how))
    assert document.format == "COCO"
    assert [item.name for item in document.items] == [f"annotations.json#{n}" for n in (11, 12, 13, 16)]
    assert {item.photograph for item in document.items} == {tmp_path / "images" / "sub" / "photo.png"}
    check_untouched(document)


def test_masks_are_those_that_cocos_own_tool_decodes(path, capsys):
    own = COCO(str(path))
    for item in open_document(path).items:
        identity = int(item.name.split("#")[1])
        np.testing.assert_array_equal(item.read(SIZE), own.annToMask(own.anns[identity]).astype(bool))


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("mask", [blob(), holed(), parted(), speckled()], ids=["blob", "hole", "parts", "noise"])
@pytest.mark.parametrize("polygons", [False, True])
def test_a_changed_mask_comes_back_and_nothing_else_changes(path, tmp_path, index, mask, polygons, capsys):
    document = open_document(path, polygons=polygons, tolerance=0)
    again = rewrite(document, index, mask, path.parent / "images", tmp_path / "out")
    np.testing.assert_array_equal(again.items[index].read(SIZE), mask)
    before, after = json.loads(path.read_text()), json.loads((tmp_path / "out" / path.name).read_text())
    position = [0, 1, 2, 5][index]
    old, new = before["annotations"][position], after["annotations"][position]
    assert list(old) == list(new)
    assert new["area"] == mask.sum()
    assert new["bbox"] == tool.toBbox(compressed(mask)).tolist()
    assert type(new["area"]) is type(old["area"])
    assert isinstance(new["segmentation"], list) == (polygons or (index < 2 and mask is not None and is_blob(mask)))
    for key in ("segmentation", "area", "bbox"):
        old.pop(key), new.pop(key)
    assert before == after
    own = COCO(str(tmp_path / "out" / path.name))
    np.testing.assert_array_equal(own.annToMask(own.anns[int(document.items[index].name.split("#")[1])]), mask)


def is_blob(mask):
    return np.array_equal(mask, blob())


def test_run_lengths_keep_their_form_and_polygons_take_the_files(path, tmp_path):
    for with_compressed in (True, False):
        document = open_document(write(tmp_path, with_compressed=with_compressed))
        for item in document.items:
            item.write(Boxed.of(parted()))
        (data,) = document.outputs().values()
        forms = [
            type(found["segmentation"]["counts"])
            for found in json.loads(data)["annotations"]
            if found.get("segmentation")
        ]
        assert forms == ([str, str, list, str] if with_compressed else [list, list, list])


@pytest.mark.parametrize("mask", [blob(), holed(), parted()], ids=["blob", "hole", "parts"])
def test_simplified_polygons_are_close_with_area_and_box_of_what_is_written(path, tmp_path, mask):
    again = rewrite(open_document(path, polygons=True), 0, mask, path.parent / "images", tmp_path / "out")
    written = np.asarray(again.items[0].read(SIZE))
    assert iou(written, mask) > 0.97
    found = json.loads((tmp_path / "out" / path.name).read_text())["annotations"][0]
    assert found["area"] == written.sum()
    assert sum(map(len, found["segmentation"])) < 200


def test_an_empty_mask_is_run_lengths_or_refused(path, tmp_path):
    empty = np.zeros(SIZE, bool)
    again = rewrite(open_document(path), 0, empty, path.parent / "images", tmp_path / "out")
    assert not again.items[0].read(SIZE).area
    document = open_document(path, polygons=True)
    with pytest.raises(FileError, match=r"annotations\.json#11 came out empty"):
        document.items[0].write(Boxed.of(empty))
    assert document.outputs()[path.relative_to(path.parent)] == path.read_bytes()


def test_a_missing_photograph_is_a_problem_of_its_items_alone(path):
    (path.parent / "images" / "sub" / "photo.png").unlink()
    document = open_document(path)
    assert all("photo.png, which does not exist" in item.problem for item in document.items)
    with pytest.raises(FileError, match=r"annotations\.json#11 belongs to .*, which does not exist"):
        document.items[0].read(SIZE)


def test_pycocotools_is_asked_for_by_name(path, monkeypatch):
    monkeypatch.setattr(coco, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"^Reading COCO needs pycocotools: pip install 'spnrefine\[coco\]'\.$"):
        open_document(path)


def runs(*counts):
    return {"size": list(SIZE), "counts": list(counts)}


@pytest.mark.parametrize(
    "segmentation",
    [
        7,
        "x",
        True,
        {},
        {"size": list(SIZE)},
        {"counts": [8000]},
        {"size": [8, 1], "counts": [8]},
        {"size": 8, "counts": [8]},
        {"size": ["a", None], "counts": [8]},
        runs(),
        runs(7999),
        runs(8001),
        runs(-1, 8001),
        runs(10**30),
        runs(1.5, 7998.5),
        runs("8000"),
        runs(None),
        {"size": list(SIZE), "counts": "0"},
        {"size": list(SIZE), "counts": "ooooooooooooooooooo"},
        {"size": list(SIZE), "counts": "☃"},
        {"size": list(SIZE), "counts": "~~~"},
        {"size": list(SIZE), "counts": None},
        [[]],
        [[1, 2, 3, 4]],
        [[1, 2, 3, 4, 5]],
        [[1, 2, 3, 4, 5, 6, 7]],
        [[1, 2, 3, 4, 5, "6"]],
        [[1, 2, 3, 4, 5, None]],
        [None],
        [[1, 2, 3, 4, 5, float("nan")]],
        [[1, 2, 3, 4, 5, float("inf")]],
        [[1, 2, 3, 4, 5, 1e12]],
        [[1, 2, 3, 4, 5, 10**400]],
        [[1, 2, 3, 4, 5, True]],
        [1, 2, 3, 4, 5, 6],
        [[[1, 2], [3, 4], [5, 6]]],
    ],
    ids=repr,
)
def test_a_bad_segmentation_is_one_sentence_naming_it_and_the_rest_goes_on(path, segmentation):
    value = json.loads(path.read_text())
    value["annotations"][0]["segmentation"] = segmentation
    path.write_text(json.dumps(value))
    items = {item.name: item for item in open_document(path).items}
    if "annotations.json#11" in items:
        for act in (lambda item: item.read(SIZE), lambda item: item.write(Boxed.of(blob()))):
            with pytest.raises(FileError, match=r"^annotations\.json#11 [^\n]*$"):
                act(items["annotations.json#11"])
    np.testing.assert_array_equal(items["annotations.json#16"].read(SIZE), parted(2))


def test_a_photograph_of_another_size_is_refused(path):
    with pytest.raises(
        FileError, match=r"annotations\.json#11 was drawn on 100 x 80 pixels, its photograph has 80 x 100"
    ):
        open_document(path).items[0].read((100, 80))


def test_ids_that_are_missing_or_repeated_still_give_every_item_its_own_name(path):
    value = json.loads(path.read_text())
    value["annotations"][1]["id"] = 11
    del value["annotations"][2]["id"]
    path.write_text(json.dumps(value))
    names = [item.name.removeprefix("annotations.json#") for item in open_document(path).items]
    assert names == ["annotations[0]", "annotations[1]", "annotations[2]", "16"]
