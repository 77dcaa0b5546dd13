"""Masks that touch are refined as the ids of one map."""

import numpy as np
import pytest

from spnrefine.boxes.boxed import Boxed
from spnrefine.refiner.box import view_of
from spnrefine.refiner.joint import refine_labels
from spnrefine.refiner.touching import Together, touching

SIZE = (20, 30)


def square(top, bottom, left, right):
    mask = np.zeros(SIZE, bool)
    mask[top:bottom, left:right] = True
    return Boxed.of(mask)


@pytest.mark.parametrize(
    ("boxes", "groups"),
    [
        ([(0, 5, 0, 5), (0, 5, 5, 9)], [[0, 1]]),
        ([(0, 5, 0, 5), (5, 9, 0, 9)], [[0, 1]]),
        ([(0, 5, 0, 5), (5, 9, 5, 9)], [[0, 1]]),  # over a corner
        ([(0, 5, 5, 9), (5, 9, 0, 5)], [[0, 1]]),  # over the other
        ([(0, 5, 0, 5), (0, 5, 6, 9)], []),
        ([(0, 5, 0, 5), (0, 5, 4, 9)], []),  # they overlap
        ([(0, 5, 0, 5), (0, 5, 5, 9), (2, 4, 8, 12)], []),  # and what lies over another touches none
        ([(0, 5, 0, 5), (9, 12, 0, 5), (0, 5, 5, 9), (12, 14, 0, 5), (0, 5, 9, 12)], [[0, 2, 4], [1, 3]]),
        ([(0, 5, 0, 5)], []),
        ([], []),
    ],
)
def test_groups_are_of_what_touches_and_does_not_overlap(boxes, groups):
    assert touching([square(*box) for box in boxes]) == groups


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.9])
def test_masks_come_out_as_the_ids_of_a_map_do(threshold):
    masks = [square(2, 9, 2, 10), square(2, 9, 10, 20), square(9, 16, 4, 12)]
    image = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)

    def blur(image, coarse):
        return ((coarse + np.roll(coarse, 2, axis=1) + np.roll(coarse, 1, axis=0)) / 3).astype(np.float32)

    labels = sum((number * np.asarray(mask) for number, mask in enumerate(masks, 1)), np.zeros(SIZE, int))
    expected, _ = refine_labels(blur, image, labels)
    together = Together(blur, image, masks, threshold)
    for position in range(3):
        probability = together.probability(position)
        assert probability.dtype == np.float32
        assert 0 <= probability.min() <= probability.max() <= 1
        view = view_of(masks[position].box, *SIZE)
        np.testing.assert_array_equal(probability > threshold, (expected == position + 1)[view.slices])
