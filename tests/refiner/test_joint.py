import numpy as np
import pytest

from spnrefine.refiner.joint import most_probable, refine_labels, refine_planes
from spnrefine.refiner.lost import restore_lost

IMAGE = np.zeros((40, 60, 3), np.uint8)


def unsure(image, mask):
    """Every object loses all certainty, as at a border where two of them meet."""
    return mask * np.float32(0.45)


def shifted(image, mask):
    """Every object moves one column to the right."""
    return np.roll(mask, 1, 1)


@pytest.fixture
def labels():
    ids = np.zeros((40, 60), np.uint16)
    ids[10:30, 10:30], ids[10:30, 30:50], ids[0, 59] = 7, 300, 9
    return ids


def test_ids_that_touch_leave_no_gap_and_only_those_present_occur(labels):
    def falls_apart(image, mask):  # both sides of the shared border fall below one half
        return np.clip(mask * 0.45 + np.roll(mask, 3, 1) * 0.2 + np.roll(mask, -3, 1) * 0.2, 0, 1).astype(np.float32)

    refined, _ = refine_labels(falls_apart, IMAGE, labels)
    assert refined.dtype == labels.dtype
    assert set(np.unique(refined)) == {0, 7, 9, 300}
    assert (refined[12:28, 15:45] > 0).all()


def test_objects_move_and_background_follows(labels):
    refined, _ = refine_labels(shifted, IMAGE, labels)
    assert (refined[10:30, 10] == 0).all()
    assert (refined[10:30, 30] == 7).all()
    assert (refined[10:30, 50] == 300).all()


def test_void_stays_and_counts_for_nobody(labels):
    void = np.zeros(labels.shape, bool)
    void[5:8] = True
    labels[void] = 255
    refined, _ = refine_labels(shifted, IMAGE, labels, void)
    assert (refined[void] == 255).all()
    assert (refined[~void] != 255).all()


def test_no_id_is_lost(labels):
    refined, _ = refine_labels(lambda image, mask: np.zeros_like(mask), IMAGE, labels)
    assert set(np.unique(refined)) == {0, 7, 9, 300}


def test_lost_ids_come_back_one_after_another():
    before = np.array([[0, 1, 2, 3, 4, 0]])
    after = np.array([[0, 2, 3, 4, 0, 0]])  # 1 is gone; its place is the last of 2, and so on
    np.testing.assert_array_equal(restore_lost(before, after.copy()), before)
    outside = before == 1
    np.testing.assert_array_equal(restore_lost(before, np.where(outside, 1, after), outside), before)
    np.testing.assert_array_equal(most_probable(np.eye(5)[:, [0, 2, 3, 4, 0, 0]][:, None], before), before)


def test_without_background_there_is_none_afterwards(labels):
    labels[labels == 0] = 4
    refined, probability = refine_labels(unsure, IMAGE, labels)
    assert (refined == labels).all()
    assert probability.min() >= 0
    assert probability.max() <= 1


def pushed(image, mask):
    """Every object moves one column to the right, and out of sight at the end."""
    return np.pad(mask, ((0, 0), (1, 0)))[:, :-1]


@pytest.mark.parametrize("refine", [unsure, pushed])
def test_planes_of_zeros_and_ones_are_the_ids_refined(labels, refine):
    numbers = np.unique(labels)
    planes = (labels == numbers[:, None, None]).astype(np.float32)
    refined = refine_planes(refine, IMAGE, planes)
    np.testing.assert_allclose(refined.sum(axis=0), 1, atol=1e-6)
    before = planes.argmax(axis=0)
    np.testing.assert_array_equal(numbers[most_probable(refined, before)], refine_labels(refine, IMAGE, labels)[0])


def test_planes_without_a_background_leave_it_nothing(labels):
    planes = np.stack([np.full(labels.shape, 0.05), np.where(labels > 0, 0.8, 0.15), np.where(labels > 0, 0.15, 0.8)])
    refined = refine_planes(unsure, IMAGE, planes.astype(np.float32))
    np.testing.assert_allclose(refined.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(refined.argmax(axis=0), planes.argmax(axis=0))


def test_planes_that_nothing_changed_are_what_they_were():
    planes = np.random.default_rng(0).dirichlet(np.ones(4), (40, 60)).transpose(2, 0, 1).astype(np.float32)
    np.testing.assert_array_equal(refine_planes(lambda image, mask: mask, IMAGE, planes), planes)
    faint = np.stack([np.full((40, 60), 0.92), np.full((40, 60), 0.08)]).astype(np.float32)
    np.testing.assert_array_equal(refine_planes(lambda image, mask: 1 - mask, IMAGE, faint), faint)
