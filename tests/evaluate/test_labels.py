import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError, ShapeError
from spnrefine.evaluate.confusion import Confusion, measure
from spnrefine.evaluate.label_intervals import f1_intervals, iou_intervals
from spnrefine.evaluate.labels import LabelledPicture, find_labelled, lowered
from spnrefine.files.classes import VOID, Classes

CLASSES = Classes(
    ("background", "upper lip", "lower lip"),
    ((0,), (1,), (2,)),
    (("mouth", ("upper lip", "lower lip")), ("overall", ("upper lip", "lower lip"))),
)


def counted(truth, found):
    confusion = Confusion(CLASSES)
    confusion.add(np.array([truth], np.uint8), np.array([found], np.uint8))
    return confusion


def test_f1_by_hand():
    f1 = counted([1, 1, 1, 2, 0, VOID], [1, 1, 2, 2, 2, 1]).f1()
    assert f1["upper lip"] == pytest.approx(2 * 2 / (3 + 2))
    assert f1["lower lip"] == pytest.approx(2 * 1 / (1 + 3))
    assert f1["mouth"] == pytest.approx(2 * 4 / (4 + 5))  # a lip taken for the other is mouth all the same
    assert f1["overall"] == pytest.approx(2 * 3 / (4 + 5))  # but not a hit here


def test_iou_by_hand_and_its_mean():
    iou = counted([1, 1, 1, 0, 0, VOID], [1, 1, 0, 0, 0, 2]).iou()
    assert iou == {"background": pytest.approx(2 / 3), "upper lip": pytest.approx(2 / 3), "mean": pytest.approx(2 / 3)}


def test_without_a_class_there_is_no_mean():
    assert counted([VOID, VOID], [1, 0]).iou() == {"mean": None}


def test_masks_of_0_and_255_are_no_label_maps_unless_that_is_said(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (3, 1)).save(tmp_path / "images/a.png")
    Image.new("RGB", (3, 1)).save(tmp_path / "images/b.png")
    Image.fromarray(np.array([[0, 255, 255]], np.uint8)).save(tmp_path / "labels/a.png")
    with pytest.raises(FileError, match="hold 0 and 255 alone, and 255 is void among ids: measure masks of objects"):
        find_labelled(tmp_path / "images", tmp_path / "labels", None, None, None)
    _, labelled = find_labelled(tmp_path / "images", tmp_path / "labels", None, 255, None)
    assert [picture.truth.tolist() for picture in labelled] == [[[0, VOID, VOID]]]
    assert labelled.alone == ["b"]
    Image.fromarray(np.array([[255, 255, 255]], np.uint8)).save(tmp_path / "labels/a.png")
    _, labelled = find_labelled(tmp_path / "images", tmp_path / "labels", None, None, None)
    assert [picture.truth.tolist() for picture in labelled] == [[[VOID, VOID, VOID]]]


def test_photographs_add_up():
    one, two = counted([1, 1], [1, 0]), counted([1, 0], [1, 1])
    truths = [np.array([truth], np.uint8) for truth in ([1, 1], [1, 0])]
    seen = []
    both = measure(
        [LabelledPicture(str(at), None, None, None, truth) for at, truth in enumerate(truths)],
        CLASSES,
        lambda picture: {"found": np.array([[1, 0]] if picture.truth[0, 1] else [[1, 1]], np.uint8)},
        lambda picture, maps, found: seen.append((picture.name, [*maps], len(found["found"].each))),
    )["found"]
    assert np.array_equal(both.each, one.each + two.each)
    assert both.f1()["upper lip"] == 2 * 2 / (3 + 3)
    assert both.iou(1) == two.iou()
    assert seen == [("0", ["found"], 1), ("1", ["found"], 2)]


def test_f1_of_classes_and_groups_has_intervals():
    maps, better = Confusion(CLASSES), Confusion(CLASSES)
    rng = np.random.default_rng(0)
    for _ in range(20):
        truth = rng.integers(0, 3, (4, 40)).astype(np.uint8)
        maps.add(truth, np.where(rng.random(truth.shape) < 0.5, truth, 1))
        better.add(truth, truth)
    for name, (low, high) in f1_intervals(maps).items():
        assert low < maps.f1()[name] < high
    assert set(f1_intervals(maps)) == {"upper lip", "lower lip", "mouth", "overall"}
    for name, (low, high) in f1_intervals(better, maps).items():
        assert 0 < low < 1 - maps.f1()[name] < high


def test_a_class_that_one_of_two_found_where_it_never_is_counts_in_the_mean_of_their_difference_as_in_theirs():
    other, found = counted([0, 0, 1, 1], [0, 0, 1, 1]), counted([0, 0, 1, 1], [0, 0, 1, 2])
    (low, high) = iou_intervals(found, other)["mean"]
    assert low == high == pytest.approx(found.iou()["mean"] - other.iou()["mean"])


def test_lowered_takes_what_most_of_a_cell_is():
    labels = np.zeros((8, 8), np.uint8)
    labels[:4, :3] = 1
    labels[4:, :1] = 1
    labels[4:, 4:] = VOID
    low = lowered(labels, 2, 4)
    assert np.array_equal(low[:4, :4], np.ones((4, 4)))
    assert not low[4:].any()
    assert not low[:, 4:].any()


def test_pairs_are_read_by_stem_and_void_is_void(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (3, 1)).save(tmp_path / "images/a.png")
    Image.fromarray(np.array([[0, 2, 11]], np.uint8)).save(tmp_path / "labels/a.png")
    classes, labelled = find_labelled(tmp_path / "images", tmp_path / "labels", None, 11, None)
    assert classes.names == ("background", "class 1", "class 2")
    [picture] = labelled
    assert picture.photograph.pixels.shape == (1, 3, 3)
    assert picture.truth.tolist() == [[0, 2, VOID]]
    Image.fromarray(np.array([[0, 2, 300]], np.uint16)).save(tmp_path / "labels/a.png")
    known = tmp_path / "known.txt"
    known.write_text("background: 0\nroad: 2\n")
    _, labelled = find_labelled(tmp_path / "images", tmp_path / "labels", known, None, None)
    assert [picture.truth.tolist() for picture in labelled] == [[[0, 1, VOID]]]
    with pytest.raises(FileError, match="ids up to 300"):
        find_labelled(tmp_path / "images", tmp_path / "labels", None, None, None)
    Image.new("L", (2, 1)).save(tmp_path / "labels/a.png")
    with pytest.raises(ShapeError, match="2x1 pixels, its photograph 3x1"):
        list(find_labelled(tmp_path / "images", tmp_path / "labels", None, None, None)[1])
    Image.new("L", (3, 1)).save(tmp_path / "labels/a.tif")
    with pytest.raises(FileError, match="masks of one name"):
        find_labelled(tmp_path / "images", tmp_path / "labels", None, None, None)
    with pytest.raises(FileError, match="no folder"):
        find_labelled(tmp_path / "images", tmp_path / "nowhere", None, 11, None)
