import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spnrefine.annotations import brush
from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.make_brush_golden import read_golden
from tests.annotations.making import SIZE, blob, check_untouched, holed, iou, parted, rewrite, save_photograph, speckled

MASKS = {"blob": blob(), "hole": holed(), "parts": parted(), "noise": speckled()}


GOLDEN = read_golden()


@pytest.mark.parametrize("golden", GOLDEN.values(), ids=GOLDEN)
def test_the_brush_is_the_converters_bit_for_bit(golden):
    mask, value, theirs = golden["mask"], golden["value"], golden["rle"]
    assert brush.encode(Boxed.of(mask), value) == theirs
    np.testing.assert_array_equal(brush.decode("x", theirs, mask.shape), mask * np.uint8(value))


def test_a_file_of_the_converters_brushes_comes_back(path):
    content = export()
    painted = [golden for golden in GOLDEN.values() if golden["mask"].shape == SIZE]
    assert len(painted) == 6
    content[0]["annotations"][0]["result"] = [
        region(f"r{number}", "brushlabels", {"format": "rle", "rle": golden["rle"], "brushlabels": ["a"]})
        for number, golden in enumerate(painted)
    ]
    path.write_text(json.dumps(content))
    document = open_document(path)
    for item, golden in zip(document.items, painted, strict=False):
        np.testing.assert_array_equal(item.read(SIZE), golden["mask"])
    check_untouched(document)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_brushes_come_back(height, width, share, seed):
    mask = np.random.default_rng(seed).random((height, width)) < share
    np.testing.assert_array_equal(
        brush.decode("x", brush.encode(Boxed.of(mask), 255), mask.shape), mask * np.uint8(255)
    )


def pack(picture, lengths=(3, 4, 8, 16), literal=8):
    """The editor's way: colours differ from channel to channel, so most packets list their values."""
    flat = picture.ravel()
    bits = f"{flat.size:032b}{7:05b}" + "".join(f"{length - 1:04b}" for length in lengths)
    for begin in range(0, flat.size, literal):
        some = flat[begin : begin + literal]
        bits += f"0{0:02b}{len(some) - 1:0{lengths[0]}b}" + "".join(f"{value:08b}" for value in some)
    bits += "0" * (-len(bits) % 8)
    return [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]


def test_a_coloured_brush_is_its_alpha():
    picture = np.where(parted()[..., None], np.array([200, 10, 30, 127]), 0).astype(np.uint8)
    for lengths, literal in (((3, 4, 8, 16), 8), ((5, 1, 2, 3), 29)):
        found = brush.decode("x", pack(picture, lengths, literal), SIZE)
        np.testing.assert_array_equal(found, picture[..., 3])


def region(identity, kind, value, **more):
    height, width = SIZE
    return {
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": value,
        "id": identity,
        "from_name": "tag",
        "to_name": "image",
        "type": kind,
        "origin": "manual",
        **more,
    }


def export():
    box = {"x": 1.5, "y": 2, "width": 3, "height": 4, "rotation": 0, "rectanglelabels": ["a"]}
    results = [
        region(
            "aAa1",
            "brushlabels",
            {"format": "rle", "rle": brush.encode(Boxed.of(parted(1)), 255), "brushlabels": ["ünï"]},
        ),
        region("bBb2", "rectanglelabels", box),
        region("cCc3", "polygonlabels", {"points": [[20.5, 10.123456789012345], [80, 12], [75, 60]], "closed": True}),
        {"id": "dDd4", "type": "choices", "value": {"choices": ["x"]}, "from_name": "c", "to_name": "image"},
    ]
    weak = region("eEe5", "brush", {"format": "rle", "rle": brush.encode(Boxed.of(blob(3)), 1)})
    return [
        {
            "id": 41,
            "annotations": [{"id": 5, "result": results, "was_cancelled": False, "lead_time": 1.20}],
            "data": {"image": "/data/upload/1/1a2b3c4d-photo.png", "note": "naïve"},
            "predictions": [3, {"id": 9, "score": 0.5, "result": [weak]}],
            "drafts": [],
        },
        {"id": 42, "annotations": [], "data": {"image": "/data/local-files/?d=set/other.png"}},
    ]


@pytest.fixture
def path(tmp_path):
    save_photograph(tmp_path / "images" / "photo.png")
    path = tmp_path / "export.json"
    path.write_text(json.dumps(export()), encoding="utf-8")
    return path


@pytest.mark.parametrize("how", [{}, {"indent": 2, "ensure_ascii": False}, {"separators": (",", ":")}])
def test_what_is_not_changed_is_left_byte_for_byte(path, how):
    path.write_text(json.dumps(export(), **how), encoding="utf-8")
    document = open_document(path)
    assert document.format == "Label Studio"
    assert [item.name for item in document.items] == [f"export.json#41/{name}" for name in ("aAa1", "cCc3", "eEe5")]
    assert {item.photograph for item in document.items} == {path.parent / "images" / "photo.png"}
    np.testing.assert_array_equal(document.items[0].read(SIZE), parted(1))
    np.testing.assert_array_equal(document.items[2].read(SIZE), blob(3))
    check_untouched(document)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_changed_region_comes_back_exactly_and_nothing_else_changes(path, tmp_path, mask, index):
    document = open_document(path, tolerance=0)
    again = rewrite(document, index, mask, tmp_path / "images", tmp_path / "out")
    np.testing.assert_array_equal(again.items[index].read(SIZE), mask)
    before, after = json.loads(path.read_text()), json.loads((tmp_path / "out" / path.name).read_text())
    for value in (before, after):
        results = [*value[0]["annotations"][0]["result"][::2], *value[0]["predictions"][1]["result"]]
        del results[index]["value"]["points" if index == 1 else "rle"]
    assert before == after


@pytest.mark.parametrize("mask", [blob(), holed(), parted()], ids=["blob", "hole", "parts"])
def test_a_changed_polygon_comes_back_within_the_tolerance(path, tmp_path, mask):
    again = rewrite(open_document(path), 1, mask, tmp_path / "images", tmp_path / "out")
    assert iou(again.items[1].read(SIZE), mask) > 0.97


def test_a_brush_may_be_empty_and_a_polygon_not(path):
    document = open_document(path)
    document.items[0].write(Boxed.of(np.zeros(SIZE, bool)))
    with pytest.raises(FileError, match=r"#41/cCc3 came out empty"):
        document.items[1].write(Boxed.of(np.zeros(SIZE, bool)))


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("/data/upload/1/1a2b3c4d-x%20y.png", "x y.png"),
        ("/data/upload/1/1a2b3c4d-x.png", "1a2b3c4d-x.png"),
        ("/data/local-files/?d=set/x.png", "set/x.png"),
        ("https://example.org/a/x.png?token=1", "x.png"),
        ("s3://bucket/folder/x.png", "x.png"),
        ("x.png", "x.png"),
        ("C:\\photos\\x.png", "x.png"),
    ],
)
def test_photographs_are_found_by_what_label_studio_calls_them(path, image, place):
    save_photograph(path.parent / "elsewhere" / place)
    value = export()
    value[0]["data"] = {"text": "y", "picture": image}
    path.write_text(json.dumps(value))
    items = open_document(path, path.parent / "elsewhere").items
    assert {item.photograph for item in items} == {path.parent / "elsewhere" / place}
    assert {item.problem for item in items} == {None}


GOOD = brush.encode(Boxed.of(parted(1)), 255)


@pytest.mark.parametrize(
    ("index", "field", "value"),
    [
        *((0, "rle", rle) for rle in (None, 7, "x", [], [1.5], [256], [-1], [None], [10**30], GOOD[:40], GOOD[:3])),
        *((0, "rle", GOOD[:4] + rest) for rest in ([], [255] * 60, [0] * 60)),
        *(
            (2, "points", points)
            for points in (None, 7, [], [[1, 2]], [[1, 2], [3, 4], [5]], [[1, 2], [3, 4], [5, "6"]])
        ),
        *((2, "points", [[1, 2], [3, 4], [5, bad]]) for bad in (float("nan"), 1e300, -(10**400), None)),
    ],
)
def test_a_bad_region_is_one_sentence_naming_it_and_the_rest_goes_on(path, index, field, value):
    content = export()
    content[0]["annotations"][0]["result"][index]["value"][field] = value
    path.write_text(json.dumps(content))
    items = open_document(path).items
    item = items[index // 2]
    for act in (lambda: item.read(SIZE), lambda: item.write(Boxed.of(blob()))):
        with pytest.raises(FileError, match=r"^export\.json#41/(aAa1|cCc3) [^\n]*$"):
            act()
    assert items[2].read(SIZE).area


def test_another_size_and_a_turned_photograph_are_refused(path):
    content = export()
    content[0]["annotations"][0]["result"][0]["original_width"] = 90
    content[0]["annotations"][0]["result"][2]["image_rotation"] = 90
    path.write_text(json.dumps(content))
    items = open_document(path).items
    with pytest.raises(FileError, match="aAa1 was drawn on 90 x 80 pixels, its photograph has 100 x 80"):
        items[0].read(SIZE)
    with pytest.raises(FileError, match="cCc3 was drawn on a turned photograph"):
        items[1].read(SIZE)
