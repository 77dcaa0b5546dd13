"""Masks that live in their box: the same as whole ones, and no larger than the box."""

import numpy as np
import pytest

from spnrefine.boxes.box import Box, around
from spnrefine.boxes.boxed import NOWHERE, Boxed
from spnrefine.files.orientation import turn, turn_boxed, turn_boxed_back

SIZE = (30, 40)


def noise(top, bottom, left, right, share=0.5):
    mask = np.zeros(SIZE, bool)
    part = mask[top:bottom, left:right]
    part[:] = np.random.default_rng(0).random(part.shape) < share
    return mask


MASKS = [noise(3, 9, 5, 20), noise(0, 30, 0, 40), noise(29, 30, 39, 40, 1), noise(0, 0, 0, 0)]


@pytest.mark.parametrize("mask", MASKS)
def test_a_whole_mask_comes_back_of_its_box(mask):
    boxed = Boxed.of(mask)
    np.testing.assert_array_equal(boxed, mask)
    assert boxed.area == mask.sum()
    assert boxed.equals(Boxed.whole(mask))
    rows, columns = np.nonzero(mask)
    expected = (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) if len(rows) else NOWHERE
    assert boxed.box == expected


def test_another_pixel_place_or_size_is_another_mask():
    mask = Boxed.of(MASKS[0])
    other = MASKS[0].copy()
    other[5, 10] ^= True
    assert not mask.equals(Boxed.of(other))
    assert not mask.equals(Boxed.of(np.roll(MASKS[0], 1, axis=1)))
    assert not mask.equals(Boxed.of(np.pad(MASKS[0], ((0, 1), (0, 0)))))


@pytest.mark.parametrize("frame", [Box(0, 30, 0, 40), Box(5, 8, 0, 12), Box(20, 30, 30, 40), Box(4, 5, 6, 7)])
@pytest.mark.parametrize("mask", MASKS)
def test_a_rectangle_of_the_picture_holds_what_lies_there(mask, frame):
    np.testing.assert_array_equal(Boxed.of(mask).within(frame), mask[frame.slices])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mask", MASKS)
def test_masks_turn_as_pictures_do(mask, orientation):
    turned = turn_boxed(Boxed.of(mask), orientation)
    np.testing.assert_array_equal(turned, turn(mask, orientation))
    np.testing.assert_array_equal(turn_boxed_back(turned, orientation), mask)


def test_boxes_are_moved_cut_and_put_together():
    box = Box(2, 8, 3, 9)
    assert box.moved(1, -2) == Box(3, 9, 1, 7)
    assert box.inside(Box(5, 20, 0, 6)) == Box(0, 3, 3, 6)
    apart = box.cut(Box(20, 30, 0, 40))
    assert (apart.height, apart.width) == (0, 6)
    assert around([box, Box(0, 1, 5, 20)]) == Box(0, 8, 3, 20)
