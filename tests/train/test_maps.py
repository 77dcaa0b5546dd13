"""Signed distance maps and polygon versions."""

import numpy as np

from spnrefine.train.data.distance import REACH, STEP, signed_distance
from spnrefine.train.data.redrawn import polygon_version
from tests.train.sets import draw_pair


def test_distances_are_those_to_the_edge_between_pixels():
    mask = np.zeros((9, 12), bool)
    mask[:, 5:] = True
    pixels = signed_distance(mask) * STEP
    assert np.allclose(pixels, np.broadcast_to(np.arange(12) - 4.5, (9, 12)), atol=STEP / 2)


def test_a_mask_without_edge_is_far_from_it():
    full = np.ones((5, 6), bool)
    assert (signed_distance(full) * STEP == REACH).all()
    assert (signed_distance(~full) * STEP == -REACH).all()


def test_the_sign_is_the_mask():
    _, mask = draw_pair(np.random.default_rng(3))
    assert ((signed_distance(mask) > 0) == mask).all()


def test_polygons_stay_near_and_keep_holes_unless_filled():
    _, mask = draw_pair(np.random.default_rng(3), 200, 200)
    mask[95:105, 95:105] = False
    polygon = polygon_version(mask, 4.0, fill=False)
    assert not polygon[97:103, 97:103].any()
    assert polygon_version(mask, 4.0, fill=True)[97:103, 97:103].all()
    changed = polygon != mask
    assert 0 < changed.mean() < 0.05
    assert (np.abs(signed_distance(mask)[changed]) * STEP <= 6).all()


def test_polygons_of_tiny_masks_are_never_empty():
    mask = np.zeros((20, 20), bool)
    mask[3:5, 3:5] = True
    assert polygon_version(mask, 10.0, fill=True).any()
