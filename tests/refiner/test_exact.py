import cv2
import numpy as np
import pytest

from spnrefine.refiner import Refiner
from spnrefine.refiner.exact import LEAST_MOVE, keep_exact
from tests.model.make_check import draw


def square(size=60, first=15, last=45):
    mask = np.zeros((size, size), np.float32)
    mask[first:last, first:last] = 1
    return mask


def moved(mask, pixels):
    """Add single pixels along the upper side, outside."""
    after = 0.8 * mask
    after[14, 15 : 15 + pixels] = 0.7
    return after


def test_a_contour_that_hardly_moves_stays_and_the_probabilities_keep_their_side():
    coarse = square()
    refined = moved(coarse, 20)  # of 116 pixels of contour: 0.17 pixels on average
    kept = keep_exact(coarse, refined)
    assert np.array_equal(kept > 0.5, coarse > 0.5)
    assert kept[14, 20] == 0.5
    untouched = np.ones_like(coarse, bool)
    untouched[14, 15:35] = False
    assert np.array_equal(kept[untouched], refined[untouched])


def test_one_that_moves_further_is_believed():
    coarse = square()
    far = moved(coarse, 30)
    far[45, 15:45] = 0.7  # 60 pixels: 0.52 on average
    assert keep_exact(coarse, far) is far


@pytest.mark.parametrize(("scale", "stays"), [(1.0, False), (1.5, False), (0.3, True)])
def test_pixels_are_those_the_network_saw(scale, stays):
    coarse = square()
    far = moved(coarse, 30)
    far[45, 15:45] = 0.7
    assert LEAST_MOVE < 60 / 116
    assert np.array_equal(keep_exact(coarse, far, scale) > 0.5, coarse > 0.5) == stays


def test_a_soft_mask_without_any_object_has_no_contour_to_keep():
    coarse = np.full((20, 20), 0.4, np.float32)
    refined = np.zeros((20, 20), np.float32)
    refined[10, 10] = 0.9
    assert keep_exact(coarse, refined)[10, 10] == np.float32(0.9)


@pytest.mark.parametrize(("wide", "stays"), [(1, True), (5, False)])
def test_a_soft_map_does_not_claim_to_be_exact(wide, stays):
    coarse = cv2.blur(square(), (wide, wide))
    refined = moved((coarse > 0.5).astype(np.float32), 10)
    assert (refined[14, 15:25] > 0.5).all()
    assert np.array_equal(keep_exact(coarse, refined) > 0.5, coarse > 0.5) == stays


def test_the_pictures_border_is_no_contour():
    coarse = np.ones((20, 20), np.float32)
    coarse[:, 10:] = 0  # one side of 20 pixels
    refined = coarse.copy()
    refined[:3, 10] = 1  # 3 of 20: 0.15
    assert np.array_equal(keep_exact(coarse, refined), np.where(refined != coarse, np.float32(0.5), coarse))
    refined[:7, 10] = 1  # 7 of 20: 0.35
    assert keep_exact(coarse, refined) is refined


def test_a_second_pass_changes_nothing():
    image, coarse = draw(120, 160, seed=3)
    refiner = Refiner(device="cpu")
    first = (refiner(image, coarse.astype(np.float32) / 255) > 0.5).astype(np.float32)
    assert np.array_equal(refiner(image, first) > 0.5, first > 0.5)
