"""COCO panoptic: segments whose ids are the colours of a PNG."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, save_photograph

pytest.importorskip("pycocotools", reason="COCO needs the extra 'coco', a part of the extra 'test'")

FIRST, SECOND, THIRD = 7, 300, 3226956  # of one, two and three channels


def ids():
    found = np.zeros(SIZE, np.int32)
    found[10:40, 10:50], found[10:40, 50:80], found[60:70, 5:20] = FIRST, SECOND, THIRD
    return found


def save_ids(path, found):
    path.parent.mkdir(exist_ok=True)
    colours = np.stack([found >> shift & 255 for shift in (0, 8, 16)], axis=2)
    Image.fromarray(colours.astype(np.uint8)).save(path)


def read_ids(data):
    import io

    red, green, blue = np.moveaxis(np.asarray(Image.open(io.BytesIO(data))).astype(int), 2, 0)
    return red + 256 * green + 65536 * blue


def segment(identity, **more):
    return {"id": identity, "category_id": 1, "area": 1, "bbox": [0, 0, 1, 1], "iscrowd": 0, **more}


def panoptic(*segments, **more):
    image = {"id": 1, "file_name": "photo.jpg", "height": SIZE[0], "width": SIZE[1]}
    annotation = {"image_id": 1, "file_name": "photo.png", "segments_info": list(segments), **more}
    return {"images": [image], "annotations": [annotation], "categories": []}


@pytest.fixture
def path(tmp_path):
    """A JSON file, the folder of its PNGs, and that of its photographs."""
    save_photograph(tmp_path / "images" / "photo.jpg")
    save_ids(tmp_path / "p" / "photo.png", ids())
    value = panoptic(segment(FIRST), segment(SECOND, area=2.5), segment(THIRD))
    (tmp_path / "p.json").write_text(json.dumps(value, indent=1))
    return tmp_path / "p.json"


def outputs(document):
    found = document.outputs()
    return json.loads(found[Path("p.json")])["annotations"][0]["segments_info"], read_ids(found[Path("p/photo.png")])


def test_segments_are_read_and_what_is_not_changed_stays(path):
    document = open_document(path)
    assert document.format == "COCO panoptic"
    assert [item.name for item in document.items] == [f"p.json#photo.png/{id}" for id in (FIRST, SECOND, THIRD)]
    for item, identity in zip(document.items, (FIRST, SECOND, THIRD), strict=True):
        np.testing.assert_array_equal(item.read(SIZE), ids() == identity)
        assert item.photograph.name == "photo.jpg"
    before = {Path("p.json"): path.read_bytes(), Path("p/photo.png"): (path.parent / "p" / "photo.png").read_bytes()}
    assert document.outputs() == before
    for item in document.items:
        item.write(Boxed.of(np.roll(item.read(SIZE), 3, axis=1)))
    assert document.outputs() != before
    for item in document.items:
        item.write(item.read(SIZE))
    assert document.outputs() == before


def test_changed_segments_change_their_pixels_area_and_box(path):
    document = open_document(path)
    expected = np.where(ids() == THIRD, THIRD, 0)
    expected[10:40, 12:45], expected[10:42, 45:80] = FIRST, SECOND
    document.items[0].write(Boxed.of(expected == FIRST))
    document.items[1].write(Boxed.of(expected == SECOND))  # it takes what the first has left
    segments, found = outputs(document)
    np.testing.assert_array_equal(found, expected)
    assert segments == [
        segment(FIRST, area=990, bbox=[12, 10, 33, 30]),
        segment(SECOND, area=1120.0, bbox=[45, 10, 35, 32]),
        segment(THIRD),
    ]


def test_nothing_is_taken_from_a_segment_that_stays(path):
    document = open_document(path)
    wide = np.zeros(SIZE, bool)
    wide[10:40, 10:60] = True
    document.items[0].write(Boxed.of(wide))
    segments, found = outputs(document)
    np.testing.assert_array_equal(found, ids())
    assert segments[0] == segment(FIRST, area=1200, bbox=[10, 10, 40, 30])


def test_pngs_may_lie_beside_their_file(path, tmp_path):
    (tmp_path / "p" / "photo.png").rename(tmp_path / "photo.png")
    document = open_document(path)
    np.testing.assert_array_equal(document.items[0].read(SIZE), ids() == FIRST)
    assert set(document.outputs()) == {Path("p.json"), Path("p/photo.png")}


def test_the_command_writes_a_folder_named_after_the_file(path, tmp_path, run):
    result = run("batch", path, "--images", tmp_path / "images", "-o", tmp_path / "new.json", "--json")
    assert result.exit_code == 0, result.stderr
    assert len(result.stdout.splitlines()) == 3
    document = open_document(tmp_path / "new.json", tmp_path / "images")
    for item, info in zip(document.items, outputs_of(tmp_path / "new.json"), strict=True):
        mask = item.read(SIZE)
        assert mask.area
        if info["area"] not in (1, 2.5):
            assert mask.area == info["area"]
    again = run("batch", path, "--images", tmp_path / "images", "-o", tmp_path / "new.json")
    assert "exists" in again.stderr


def outputs_of(path):
    return json.loads(path.read_text())["annotations"][0]["segments_info"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "p" / "photo.png").unlink(), "which does not exist"),
        (lambda folder: save_ids(folder / "p" / "photo.png", ids()[:, :50]), "was drawn on 50 x 80 pixels"),
        (lambda folder: save_ids(folder / "p" / "photo.png", ids() * (ids() != FIRST)), "has no pixel in"),
        (lambda folder: Image.fromarray(ids().astype(np.uint8)).save(folder / "p" / "photo.png"), "of mode L, not RGB"),
        (lambda folder: (folder / "p" / "photo.png").write_bytes(b"x"), "photo.png"),
        (lambda folder: save_json(folder, panoptic(segment("7"))), "no id that a colour can have"),
        (lambda folder: save_json(folder, panoptic(segment(0))), "no id that a colour can have"),
        (lambda folder: save_json(folder, panoptic(segment(7), file_name="../p/photo.png")), "which does not exist"),
        (lambda folder: save_json(folder, panoptic(segment(7), image_id=2)), "belongs to no image"),
    ],
)
def test_what_is_wrong_with_a_segment_is_one_sentence(path, change, reason):
    change(path.parent)
    item = open_document(path).items[0]
    for act in (lambda: item.read(SIZE), lambda: item.write(Boxed.of(ids() == FIRST))):
        with pytest.raises(FileError, match=reason) as caught:
            act()
        assert "\n" not in str(caught.value)


def save_json(folder, value):
    (folder / "p.json").write_text(json.dumps(value))


def test_an_empty_segment_is_refused_and_stays(path):
    document = open_document(path)
    with pytest.raises(FileError, match="came out empty"):
        document.items[0].write(Boxed.of(np.zeros(SIZE, bool)))
    np.testing.assert_array_equal(outputs(document)[1], ids())
