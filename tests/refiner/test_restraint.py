import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spnrefine.job.record import parts_and_holes
from spnrefine.refiner.contour import contour, contour_distance
from spnrefine.refiner.restraint import Restraint, changed_share, restrain
from spnrefine.refiner.topology import keep_topology


def square(top, bottom, left, right, size=(30, 40)):
    mask = np.zeros(size, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_contour_is_both_sides_of_the_border_and_distance_counts_from_it():
    mask = square(10, 20, 10, 20)
    assert contour(mask).sum() == 4 * 10 - 4 + 4 * 10
    distance = contour_distance(mask)
    assert distance[10, 15] == distance[9, 15] == 1
    assert distance[12, 15] == distance[7, 15] == 3
    assert np.isinf(contour_distance(np.ones((3, 3), bool))).all()


@pytest.mark.parametrize("band", [0, 1, 2.5])
def test_band_limits_change_to_near_the_contour(band):
    before, after = square(10, 20, 10, 20), square(5, 25, 12, 20)
    restrained, notes = restrain(before, after, Restraint(band=band))
    near = contour_distance(before) <= band
    np.testing.assert_array_equal(restrained, np.where(near, after, before))
    assert notes
    if band == 0:
        np.testing.assert_array_equal(restrained, before)


@pytest.mark.parametrize("after", [square(0, 0, 0, 0), square(2, 5, 20, 30)], ids=["gone", "elsewhere"])
@pytest.mark.parametrize("restraint", [Restraint(), Restraint(max_change=0.5)])
def test_a_mask_of_which_nothing_would_be_left_stays(after, restraint):
    before = square(10, 13, 10, 13)
    restrained, notes = restrain(before, after, restraint)
    assert restrained is before
    assert notes == ["nothing of it would have been left: returned as it came"]
    moved = square(10, 13, 12, 15)
    assert restrain(before, moved, Restraint())[0] is moved
    assert restrain(square(0, 0, 0, 0), after, Restraint())[0] is after  # nothing came in


def test_what_is_allowed_stays():
    before, after = square(10, 20, 10, 20), square(10, 20, 10, 21)
    restrained, notes = restrain(before, after, Restraint(band=1, max_change=0.11, keep_topology=True))
    np.testing.assert_array_equal(restrained, after)
    assert not notes


def test_too_much_change_returns_the_coarse_mask():
    before, after = square(10, 20, 10, 20), square(10, 20, 10, 25)
    assert changed_share(before, after) == 0.5
    restrained, notes = restrain(before, after, Restraint(max_change=0.49))
    assert restrained is before
    assert "0.500" in notes[0]
    assert restrain(before, after, Restraint(max_change=0.5))[0] is after


def test_parts_and_holes_are_kept():
    before = square(5, 25, 5, 25) & ~square(12, 18, 12, 18)
    after = square(5, 25, 5, 25) | square(5, 25, 30, 35)  # the hole is closed, another part appears
    after &= ~square(8, 10, 8, 10)  # and another hole
    kept, notes = restrain(before, after, Restraint(keep_topology=True))
    assert parts_and_holes(before) == parts_and_holes(kept) == (1, 1)
    assert parts_and_holes(after) == (2, 1)
    assert notes == ["kept its parts and holes"]


def test_a_simple_move_is_made_in_full():
    before, after = square(5, 25, 5, 25), square(7, 27, 2, 22)
    np.testing.assert_array_equal(keep_topology(before, after), after)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_topology_of_every_id_is_kept_on_random_maps(seed, count):
    rng = np.random.default_rng(seed)
    before, after = (
        (cv2.GaussianBlur(rng.random((24, 30)), (0, 0), 1.5).argsort(None).argsort().reshape(24, 30) * count // 720)
        for _ in range(2)
    )
    kept = keep_topology(before.astype(np.uint8), after.astype(np.uint8))
    for number in range(1, count):
        assert parts_and_holes(kept == number) == parts_and_holes(before == number)
    assert ((kept == before) | (kept == after)).all()


def test_void_pixels_do_not_count():
    before, after = square(10, 20, 10, 20), square(10, 20, 10, 25)
    void = square(0, 15, 0, 40)
    assert changed_share(before, np.where(void, before, after), void) == 0.5


TWO = square(10, 20, 4, 14) | square(2, 6, 30, 34)


def test_only_the_part_that_would_change_too_much_stays():
    after = square(10, 20, 4, 15) | square(2, 6, 26, 34)  # by a tenth, and by as much as it had
    restrained, notes = restrain(TWO, after, Restraint(max_change=0.5))
    np.testing.assert_array_equal(restrained, square(10, 20, 4, 15) | square(2, 6, 30, 34))
    assert notes == ["1 of 2 parts would have changed too much: they stay as they came"]
    assert changed_share(TWO, after) < 0.5  # all parts together would have been let through
    assert restrain(TWO, after, Restraint(max_change=1.0))[0] is after


def test_a_part_that_would_vanish_stays_while_another_moves():
    after = square(11, 21, 4, 14)
    restrained, _ = restrain(TWO, after, Restraint(max_change=0.5))
    np.testing.assert_array_equal(restrained, after | square(2, 6, 30, 34))


def test_of_ids_what_is_taken_counts_as_what_is_given_does():
    before = np.zeros((30, 40), np.uint16)
    before[:, :20], before[2:6, 20:24], before[2:6, 36:40] = 1, 2, 2
    after = before.copy()
    after[2:6, 16:20] = 2  # a fortieth of 1, and all of the 2 beside it again
    after[2:6, 35] = 2  # a quarter of the other 2
    restrained, notes = restrain(before, after, Restraint(max_change=0.5))
    np.testing.assert_array_equal(restrained[:, :24], before[:, :24])
    np.testing.assert_array_equal(restrained[:, 24:], after[:, 24:])
    assert notes == ["1 of 3 parts would have changed too much: they stay as they came"]


def test_void_is_no_part():
    void = square(0, 30, 36, 40)
    restrained, notes = restrain(TWO | void, square(10, 20, 4, 15) | void, Restraint(max_change=0.5), void)
    np.testing.assert_array_equal(restrained, square(10, 20, 4, 15) | square(2, 6, 30, 34) | void)
    assert notes[0].startswith("1 of 2 parts")


def test_topology_is_kept_part_by_part():
    after = square(12, 22, 4, 14) | square(2, 6, 20, 24)  # one moves, the other would be gone and come elsewhere
    kept, _ = restrain(TWO, after, Restraint(keep_topology=True))
    np.testing.assert_array_equal(kept[7:], after[7:])
    assert kept[2:6, 30:34].any()
    assert parts_and_holes(kept) == (2, 0)


def test_the_band_is_that_of_every_part():
    after = square(10, 20, 4, 19) | square(2, 6, 25, 34)
    restrained, _ = restrain(TWO, after, Restraint(band=2))
    np.testing.assert_array_equal(restrained, square(10, 20, 4, 16) | square(2, 6, 28, 34))
