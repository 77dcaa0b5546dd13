import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, holed, iou, parted, rewrite, save_photograph, speckled


def picture(mask, value=1):
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * np.uint8(value)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def shape(kind, points, **more):
    fields = {"label": "cät", "points": points, "group_id": 4, "description": "", "shape_type": kind, "flags": {}}
    return {**fields, "mask": None, **more}


def labelme(name="photo.png", mask=None, value=1):
    mask = parted(1) if mask is None else mask
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
    crop = mask[top : bottom + 1, left : right + 1]
    box = [[float(left), float(top)], [float(right), float(bottom)]]
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": [
            shape("polygon", [[20.5, 10.123456789012345], [80, 12.0], [75.125, 60.0], [22.0, 66]]),
            shape("rectangle", [[1.0, 2.0], [30.5, 40.5]]),
            shape("mask", box, mask=picture(crop, value)),
            shape("circle", [[1.0, 2.0], [30.5, 40.5]]),
            shape("linestrip", [[1.0, 2.0], [30.5, 40.5], [3, 3]]),
            shape("point", [[1.0, 2.0]]),
        ],
        "imagePath": name,
        "imageData": "AAAA",
        "imageHeight": SIZE[0],
        "imageWidth": SIZE[1],
    }


@pytest.fixture
def path(tmp_path):
    """One file, as LabelMe writes it."""
    save_photograph(tmp_path / "photo.png")
    path = tmp_path / "photo.json"
    path.write_text(json.dumps(labelme(), ensure_ascii=False, indent=2), encoding="utf-8")
    return path


def test_what_is_not_changed_is_left_byte_for_byte(path):
    document = open_document(path)
    assert document.format == "LabelMe"
    assert [item.name for item in document.items] == ["photo.json#0", "photo.json#2"]
    np.testing.assert_array_equal(document.items[1].read(SIZE), parted(1))
    check_untouched(document)


@pytest.mark.parametrize("mask", [blob(), holed(), parted(), speckled()], ids=["blob", "hole", "parts", "noise"])
def test_a_changed_mask_shape_comes_back_exactly_and_nothing_else_changes(path, tmp_path, mask):
    again = rewrite(open_document(path), 1, mask, tmp_path, tmp_path / "out")
    np.testing.assert_array_equal(again.items[1].read(SIZE), mask)
    before, after = json.loads(path.read_text()), json.loads((tmp_path / "out" / path.name).read_text())
    new = after["shapes"][2]
    (left, top), (right, bottom) = np.asarray(new["points"]).astype(int)
    whole = np.zeros(SIZE, bool)  # as LabelMe itself lays it
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(new["mask"]))))
    whole[top : bottom + 1, left : right + 1] = pixels
    np.testing.assert_array_equal(whole, mask)
    assert pixels.max() == 1
    for shapes in (before["shapes"], after["shapes"]):
        del shapes[2]["points"], shapes[2]["mask"]
    assert before == after


@pytest.mark.parametrize("mask", [blob(), holed(), parted()], ids=["blob", "hole", "parts"])
@pytest.mark.parametrize("tolerance", [0.0, 1.0])
def test_a_changed_polygon_comes_back_within_the_tolerance(path, tmp_path, mask, tolerance):
    again = rewrite(open_document(path, tolerance=tolerance), 0, mask, tmp_path, tmp_path / "out")
    written = np.asarray(again.items[0].read(SIZE))
    assert iou(written, mask) > (0.97 if tolerance else 0.99)
    if tolerance == 0:
        assert not (mask & ~written).any()  # bridges between parts add, nothing is taken
    before, after = json.loads(path.read_text()), json.loads((tmp_path / "out" / path.name).read_text())
    assert before["shapes"][0].pop("points") != after["shapes"][0].pop("points")
    assert before == after


def test_a_mask_of_255_stays_one(path, tmp_path):
    path.write_text(json.dumps(labelme(value=255)))
    rewrite(open_document(path), 1, blob(), tmp_path, tmp_path / "out")
    data = json.loads((tmp_path / "out" / path.name).read_text())["shapes"][2]["mask"]
    assert np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).max() == 255


def test_a_folder_is_one_document_and_a_bad_file_in_it_one_bad_item(tmp_path):
    folder = tmp_path / "labels"
    for name, text in {
        "a.json": json.dumps(labelme("..\\photos\\a.png")),
        "sub/b.json": json.dumps(labelme("b.png") | {"imageData": None}),
        "cut.json": json.dumps(labelme("a.png"))[:-20],
        "other.json": "[1, 2]",
        ".hidden.json": "x",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "latin.json").write_bytes(b"\xff\xfe")
    (folder / "empty.json").write_bytes(b"")
    save_photograph(tmp_path / "photos" / "a.png")
    document = open_document(folder, tmp_path / "photos")
    names = ["a.json#0", "a.json#2", "sub/b.json#0", "sub/b.json#2"]
    bad = ["cut.json", "empty.json", "latin.json", "other.json"]
    assert [item.name for item in document.items] == [*names, *bad]
    assert [item.problem is None for item in document.items] == [True, True] + [False] * 6
    assert document.items[0].photograph.samefile(tmp_path / "photos" / "a.png")
    for item in document.items[2:]:
        with pytest.raises(FileError, match=r"^[^\n]+: [^\n]+\.$"):
            item.read(SIZE)
        with pytest.raises(FileError):
            item.write(Boxed.of(blob()))
    assert {name.as_posix() for name in document.outputs()} == {
        *("a.json", "sub/b.json"),
        *("cut.json", "empty.json", "latin.json", "other.json"),  # as they came
    }
    save_photograph(tmp_path / "photos" / "b.png")
    for name in bad:
        (folder / name).unlink()
    (folder / ".hidden.json").unlink()
    check_untouched(open_document(folder, tmp_path / "photos"))


@pytest.mark.parametrize(
    ("index", "field", "value"),
    [
        (0, "points", None),
        (0, "points", []),
        (0, "points", [[1, 2], [3, 4]]),
        (0, "points", [[1, 2], [3, 4], [5]]),
        (0, "points", [[1, 2], [3, 4], [5, "6"]]),
        (0, "points", [[1, 2], [3, 4], [5, float("nan")]]),
        (0, "points", [[1, 2], [3, 4], [5, 1e300]]),
        (0, "points", 7),
        (2, "points", [[1, 2]]),
        (2, "points", [[float("inf"), 2], [3, 4]]),
        (2, "mask", None),
        (2, "mask", 5),
        (2, "mask", "not base64!"),
        (2, "mask", "☃"),
        (2, "mask", "AAAA"),
        (2, "mask", ""),
        (2, "mask", picture(np.zeros((5, 5, 3), bool))),
    ],
)
def test_a_bad_shape_is_one_sentence_naming_it_and_the_rest_goes_on(path, index, field, value):
    content = labelme()
    content["shapes"][index][field] = value
    path.write_text(json.dumps(content))
    items = {item.name: item for item in open_document(path).items}
    for act in (lambda item: item.read(SIZE), lambda item: item.write(Boxed.of(blob()))):
        with pytest.raises(FileError, match=rf"^photo\.json#{index} [^\n]*$"):
            act(items[f"photo.json#{index}"])
    assert items[f"photo.json#{2 - index}"].read(SIZE).area


@pytest.mark.parametrize("stated", [{"imageHeight": 81}, {"imageWidth": "wide"}, {"imageWidth": True}])
def test_a_photograph_of_another_size_is_refused(path, stated):
    path.write_text(json.dumps({**labelme(), **stated}))
    with pytest.raises(FileError, match=r"^photo\.json#0 (was drawn on 100 x 81 pixels|states)"):
        open_document(path).items[0].read(SIZE)


def test_an_empty_mask_is_refused_and_the_shape_stays(path):
    document = open_document(path)
    for item in document.items:
        with pytest.raises(FileError, match="came out empty"):
            item.write(Boxed.of(np.zeros(SIZE, bool)))
    assert document.outputs()[path.relative_to(path.parent)] == path.read_bytes()
