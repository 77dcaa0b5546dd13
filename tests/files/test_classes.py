from pathlib import Path

import numpy as np
import pytest

from spnrefine.errors import FileError
from spnrefine.files.classes import VOID, Classes, read_classes
from spnrefine.files.truth import LabelTruth

TEXT = """# a comment
background: 0 7
left eye: 4
right eye: 5   # another
mouth: 10
eyes = left eye, right eye
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "names.txt"
    path.write_text(text)
    return path


def test_names_ids_and_groups(tmp_path):
    classes = read_classes(written(tmp_path, TEXT))
    assert classes.names == ("background", "left eye", "right eye", "mouth")
    assert classes.groups == (("eyes", ("left eye", "right eye")),)
    mapping = classes.mapping
    assert [mapping[i] for i in (0, 7, 4, 5, 10)] == [0, 0, 1, 2, 3]
    assert mapping[1] == mapping[255] == VOID


def test_ids_become_numbers_of_classes_and_all_others_are_void(tmp_path):
    classes = read_classes(written(tmp_path, TEXT))
    for dtype in (np.uint8, np.uint16, np.int64):
        ids = np.array([[0, 7, 4, 5, 10, 3, 255, 10]], dtype)
        truth = LabelTruth(ids, np.array([[False] * 7 + [True]]))
        assert classes.numbers(truth).tolist() == [[0, 0, 1, 2, 3, VOID, VOID, VOID]]
    wide = LabelTruth(np.array([[4, 260, 65535]], np.uint16), np.zeros((1, 3), bool))
    assert classes.numbers(wide).tolist() == [[1, VOID, VOID]]


def test_numbered_classes_are_their_ids():
    classes = Classes.numbered(3)
    assert classes.mapping[:4].tolist() == [0, 1, 2, VOID]
    assert len(Classes.numbered(255).names) == 255
    with pytest.raises(FileError, match="ids up to 255"):
        Classes.numbered(256)


def test_a_byte_order_mark_is_no_class(tmp_path):
    assert read_classes(written(tmp_path, "\ufeffbackground: 0\nhair: 007\n")).names == ("background", "hair")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("background: 0", "at least two"),
        ("background: 0\nhair", "'hair'"),
        ("background: 0\nhair: 300", "'hair: 300'"),
        ("background: 0\nhair: x", "'hair: x'"),
        (f"background: 0\nhair: {'9' * 5000}", "'hair: 999"),
        ("background: 0\nhair: 0", "once"),
        ("background: 0\nhair: 1\nhair: 2", "once"),
        ("background: 0\nhair: 1\nall = hair, hat", "hair, hat"),
    ],
)
def test_wrong_lines_are_one_sentence(tmp_path, text, named):
    with pytest.raises(FileError, match=r"expected|must") as error:
        read_classes(written(tmp_path, text))
    assert named in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nowhere\.txt"):
        read_classes(tmp_path / "nowhere.txt")


def test_the_examples_classes_are_helens():
    classes = read_classes(Path(__file__).parents[2] / "examples/helen.classes")
    assert len(classes.names) == 11
    assert classes.names[0] == "background"
    assert sorted(i for ids in classes.ids for i in ids) == list(range(19))
    assert len(dict(classes.groups)["overall"]) == 8
