"""Panoramas of 360 degrees: an object across the seam is refined as one in the middle."""

import numpy as np

from spnrefine.refiner import Refiner
from spnrefine.refiner.panorama import Wrapped
from tests.model.make_check import draw


def test_an_object_across_the_seam_is_refined_as_in_the_middle():
    image, coarse = draw(120, 200, seed=5)
    probability = coarse.astype(np.float32) / 255
    refiner = Refiner(device="cpu")
    middle = refiner(image, probability)
    seam = Wrapped(refiner, 200)(np.roll(image, 100, 1), np.roll(probability, 100, 1))
    seam, middle = np.roll(seam, -100, 1) > 0.5, middle > 0.5
    assert (seam & middle).sum() / (seam | middle).sum() > 0.98, "but for what lies around it"


def test_a_mask_in_every_column_is_shown_beyond_both_borders():
    seen = []

    def refine(image, coarse):
        seen.append(coarse.shape)
        return coarse

    mask = np.ones((10, 40), np.float32)
    mask[:3] = 0
    assert np.array_equal(Wrapped(refine, 40)(np.zeros((10, 40, 3), np.uint8), mask), mask)
    assert seen == [(10, 60)]


def test_a_refiner_takes_what_is_shown_beyond_both_borders():
    ground = np.zeros((40, 60), np.float32)
    ground[20:] = 1
    image = np.full((40, 60, 3), 40, np.uint8)
    image[17:] = 200
    refined = Wrapped(Refiner(device="cpu"), 60)(image, ground)
    assert refined.shape == ground.shape
    assert (refined[17:] > 0.5).mean() > 0.95


def test_what_is_no_whole_panorama_is_refined_as_it_is():
    mask = np.zeros((10, 20), np.float32)
    mask[2:5, :3] = 1
    columns = []

    def refine(image, coarse):
        columns.append(np.flatnonzero(coarse.any(0)).tolist())
        return coarse

    Wrapped(refine, 40)(np.zeros((10, 20, 3), np.uint8), mask)
    assert columns == [[0, 1, 2]]
