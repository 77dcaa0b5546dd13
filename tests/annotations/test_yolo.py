from pathlib import Path

import cv2
import numpy as np
import pytest

from spnrefine.annotations.document import open_document
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, check_untouched, holed, iou, parted, rewrite, save_photograph, speckled

LINES = (
    "3 0.205 0.128125 .8 0.15 0.75125 0.75 0.22 8.25e-1\r\n"
    "0 0.5 0.5 0.2 0.1\n"
    "\n"
    "0 0.5 0.5 0.2 0.1 0.93\n"
    "  11\t0.1 0.1  0.3 0.1 0.3 0.3 0.1 0.3 0.87  \n"
    "1 0.55 0.5 0.95 0.5 0.95 0.9"
)


@pytest.fixture
def folder(tmp_path):
    """A tree of labels and one of photographs, as Ultralytics wants them."""
    for name, text in {
        "train/a.txt": LINES,
        "train/nothing.txt": "",
        "val/b.txt": LINES[:30] + " 0.5 0.5 0.6\n",
    }.items():
        (tmp_path / "labels" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "labels" / name).write_bytes(text.encode())
    save_photograph(tmp_path / "images" / "train" / "a.png")
    save_photograph(tmp_path / "images" / "val" / "b.jpg")
    return tmp_path / "labels"


def test_what_is_not_changed_is_left_byte_for_byte(folder):
    document = open_document(folder)
    assert document.format == "YOLO"
    assert [item.name for item in document.items] == ["train/a.txt#1", "train/a.txt#5", "train/a.txt#6", "val/b.txt#1"]
    images = folder.parent / "images"
    assert [item.photograph for item in document.items] == [images / "train" / "a.png"] * 3 + [images / "val" / "b.jpg"]
    assert [i.photograph for i in open_document(folder, images).items] == [i.photograph for i in document.items]
    check_untouched(document)


def test_polygons_are_filled_as_ultralytics_does(folder):
    for item, points in zip(
        open_document(folder).items,
        (
            [[20, 10], [80, 12], [75, 60], [22, 66]],
            [[10, 8], [30, 8], [30, 24], [10, 24]],
            [[55, 40], [95, 40], [95, 72]],
        ),
        strict=False,
    ):
        canvas = np.zeros(SIZE, np.uint8)
        cv2.fillPoly(canvas, np.array([points], np.int32), color=1)
        np.testing.assert_array_equal(item.read(SIZE), canvas.astype(bool))


@pytest.mark.parametrize("mask", [blob(), holed(), parted(), speckled()], ids=["blob", "hole", "parts", "noise"])
@pytest.mark.parametrize("tolerance", [0.0, 1.0])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_changed_line_comes_back_within_the_tolerance_and_bridges(folder, tmp_path, mask, tolerance, index):
    document = open_document(folder, tolerance=tolerance)
    again = rewrite(document, index, mask, tmp_path / "images", tmp_path / "out")
    written = np.asarray(again.items[index].read(SIZE))
    if tolerance == 0:
        assert not (mask & ~written).any()
        if mask.sum() == blob().sum():
            np.testing.assert_array_equal(written, mask)
    if not np.array_equal(mask, speckled()):
        assert iou(written, mask) > 0.97
        assert cv2.connectedComponents((~written).astype(np.uint8), connectivity=4)[0] >= (
            2 if mask.sum() == blob().sum() else 3
        )  # the hole is there
    before = (folder / "train" / "a.txt").read_bytes().split(b"\n")
    after = (tmp_path / "out" / "train" / "a.txt").read_bytes().split(b"\n")
    line = [0, 4, 5][index]
    assert [b for n, b in enumerate(before) if n != line] == [a for n, a in enumerate(after) if n != line]
    assert after[line].split()[0] == before[line].split()[0]
    assert (len(after[line].split()) % 2 == 0) == (index == 1)  # the confidence stays
    assert after[0].endswith(b"\r")
    assert after[4].startswith(b"  11\t")
    assert after[4].endswith(b" 0.87  ")


@pytest.mark.parametrize(
    "line",
    [
        "1 0.1 0.1 0.5",
        "1",
        "x 0.1 0.1 0.5 0.1 0.5 0.5",
        "1 0.1 0.1 0.5 0.1 0.5 x",
        "1 0.1 0.1 0.5 0.1 0.5 nan",
        "-1 0 0 1 0 1 1",
        "1 0.1 0.1 0.5 0.1 0.5 inf",
        "1 10 10 50 10 50 50",
        "1 -3 0 1 0 1 1",
        "1 1e300 0 1 0 1 1",
        "1 0_1 0 1 0 1 1",
    ],
)
def test_a_bad_line_is_one_sentence_naming_it_and_the_rest_goes_on(folder, line):
    path = folder / "val" / "b.txt"
    path.write_text(f"0 0.1 0.1 0.5 0.1 0.5 0.5\n{line}\n")
    items = {item.name: item for item in open_document(folder).items}
    for act in (lambda item: item.read(SIZE), lambda item: item.write(Boxed.of(blob()))):
        with pytest.raises(FileError, match=r"^val/b\.txt#2 [^\n]*$"):
            act(items["val/b.txt#2"])
    assert items["val/b.txt#1"].read(SIZE).area


def test_files_that_are_not_labels_stay_out_of_it(folder):
    (folder / "classes.txt").write_text("cat\ndog\n")
    assert "classes.txt" not in {item.name.split("#")[0] for item in open_document(folder).items}
    (folder / "notes.txt").write_text("remember the milk\n")
    document = open_document(folder)
    assert [(item.name, item.problem is None) for item in document.items[-1:]] == [("notes.txt", False)]
    assert document.outputs()[Path("notes.txt")] == b"remember the milk\n"  # as it came


def test_a_missing_photograph_is_a_problem_of_its_items_alone(folder):
    (folder.parent / "images" / "val" / "b.jpg").unlink()
    problems = [item.problem for item in open_document(folder).items]
    assert problems[:3] == [None] * 3
    assert "does not exist" in problems[3]


def test_an_empty_mask_is_refused_and_the_line_stays(folder):
    document = open_document(folder)
    with pytest.raises(FileError, match=r"train/a\.txt#1 came out empty"):
        document.items[0].write(Boxed.of(np.zeros(SIZE, bool)))
    assert document.outputs()[Path("train/a.txt")] == LINES.encode()


def test_a_folder_of_neither_kind_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(FileError, match="holds no annotations of a known format"):
        open_document(tmp_path)
