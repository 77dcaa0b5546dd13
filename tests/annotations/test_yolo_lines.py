"""What the numbers of YOLO's lines are."""

import numpy as np
import pytest

from spnrefine.annotations.document import open_document
from spnrefine.annotations.yolo_lines import Kind, read_lines, tell
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from tests.annotations.making import SIZE, blob, save_photograph

QUAD = "0 0.2 0.1 0.8 0.12 0.7 0.6 0.22 0.6"
TRIANGLE = "1 0.1 0.1 0.5 0.1 0.5 0.5"
TILTED = "0 0.3 0.2 0.6 0.25 0.58 0.7 0.28 0.65"
POSE = "0 0.5 0.5 0.5 0.8 0.4 0.3 0.6 0.3 0.5 0.4"


def tails(*lines):
    return [line.tail for line in read_lines("\n".join(lines))]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([QUAD], [0]),
        ([f"{QUAD} 0.91"], [1]),  # a confidence
        ([f"{QUAD} 3"], [1]),  # an id
        ([f"{QUAD} 0.91 1"], [2]),
        ([f"{QUAD} 0.91 1", f"{TRIANGLE} 0.77 2"], [2, 2]),
        ([f"{QUAD} 1 12"], [2]),
        ([f"{QUAD} 0.91 1", TRIANGLE], [0, 0]),  # a point on the lower edge, as the other line has no id
        ([f"{QUAD} 0.91 1.000000"], [0]),  # no id is written so
        ([f"{QUAD} 1 0.9 0.91 1"], [0]),  # it reaches an edge elsewhere
        (["0 0.5 0.5 0.2 0.1 0.93 1"], [2]),  # a tracked box, no triangle
        (["0 0.5 0.5 0.2 0.1", "0 0.5 0.5 0.2 0.1 0.93"], [0, 1]),
    ],
)
def test_confidence_and_id_are_no_points(lines, expected):
    assert tails(*lines) == expected


@pytest.fixture
def folder(tmp_path):
    save_photograph(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    return tmp_path / "labels"


def test_confidence_and_id_stay_behind_a_changed_polygon(folder):
    (folder / "a.txt").write_text(f"{QUAD} 0.91 1\n{TRIANGLE} 0.77 2\n0 0.5 0.5 0.2 0.1 0.93 3\n")
    document = open_document(folder)
    assert [item.name for item in document.items] == ["a.txt#1", "a.txt#2"]
    for item in document.items:
        item.write(Boxed.of(blob()))
    (data,) = document.outputs().values()
    lines = data.decode().splitlines()
    assert lines[0].endswith(" 0.91 1")
    assert lines[1].endswith(" 0.77 2")
    assert lines[2] == "0 0.5 0.5 0.2 0.1 0.93 3"
    (folder / "a.txt").write_bytes(data)
    np.testing.assert_array_equal(open_document(folder, tolerance=0).items[0].read(SIZE), document_mask(lines[0]))


def document_mask(line):
    """The polygon of a line without its last two words, as it would be alone."""
    import cv2

    points = np.array(line.split()[1:-2], float).reshape(-1, 2) * SIZE[::-1] + 1e-3
    canvas = np.zeros(SIZE, np.uint8)
    cv2.fillPoly(canvas, [points.astype(np.int32)], 1)
    return canvas.astype(bool)


@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_a_byte_order_mark_is_no_part_of_the_class(folder, mark):
    data = f"{mark}{QUAD}\n".encode()
    (folder / "a.txt").write_bytes(data)
    document = open_document(folder)
    (item,) = document.items
    item.read(SIZE)
    assert list(document.outputs().values()) == [data]
    item.write(Boxed.of(blob()))
    assert next(iter(document.outputs().values())).decode().startswith(f"{mark}0 ")


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([TILTED], Kind.ORIENTED_BOXES),
        ([TILTED, "0 0.1 0.1 0.5 0.1 0.5 0.3 0.1 0.3"], Kind.ORIENTED_BOXES),
        ([TILTED, QUAD], Kind.POLYGONS),
        (["0 0.1 0.1 0.5 0.1 0.5 0.3 0.1 0.3"], Kind.POLYGONS),  # upright: a coarse polygon as well as a box
        ([POSE], Kind.POSES),
        ([POSE, QUAD], Kind.POLYGONS),
        (["0 0.5 0.5 0.5 0.8 0.1 0.1 2 0.2 0.9 1"], Kind.POSES),  # how visible each key point is
        ([TRIANGLE], Kind.POLYGONS),
        (["0 0.5 0.5 0.2 0.2"], Kind.POLYGONS),
        (["0 0.45 0.4 0.55 0.42 0.56 0.6 0.5 0.62 0.44 0.55"], Kind.POLYGONS),  # in the box that it would have
    ],
)
def test_what_lines_are_is_told_from_all_of_them(tmp_path, lines, kind):
    assert tell(read_lines("\n".join(lines)), tmp_path) is kind


def test_poses_are_told_by_the_data_sets_own_word(tmp_path):
    lines = read_lines("0 0.45 0.4 0.55 0.42 0.56 0.6 0.5 0.62 0.44 0.55")
    (tmp_path / "a_folder.yaml").mkdir()
    (tmp_path / "empty.yml").write_text("")
    assert tell(lines, tmp_path) is Kind.POLYGONS
    (tmp_path / "data.yaml").write_text("names: [a]\nkpt_shape: [3, 2]\n")
    (tmp_path / "labels" / "train").mkdir(parents=True)
    assert tell(lines, tmp_path / "labels" / "train") is Kind.POSES


@pytest.mark.parametrize("line", [TILTED, POSE, "0 0.5 0.5 0.2 0.2"])
def test_labels_without_any_polygon_are_refused(folder, line):
    (folder / "a.txt").write_text(line)
    with pytest.raises(FileError, match=r"\(YOLO\) holds 1 objects, but no mask and no polygon to refine"):
        open_document(folder)
