"""Looking closer along the contour of large objects."""

import cv2
import numpy as np
import pytest

from spnrefine import Refiner
from spnrefine.evaluate.large import seam
from spnrefine.refiner.coarse_to_fine import DOUBT, MARGIN, STRIDE, TILE, levels, look_closer, tiles
from tests.model.make_check import draw


def disc(height, width, radius=0.35, soft=0.0):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    distance = radius * min(height, width) - np.hypot(y - height / 2, x - width / 2)
    return np.clip(distance / soft + 0.5, 0, 1) if soft else (distance > 0).astype(np.float32)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [(1.5, []), (1.0, []), (0.5, []), (0.25, [1.0]), (0.1, [0.316, 1.0]), (0.03, [0.097, 0.311, 1.0])],
)
def test_levels_triple_up_to_the_photograph(scale, expected):
    assert levels(scale) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("shape", [(900, 1300), (200, 2000), (1500, 40), (256, 256)])
@pytest.mark.parametrize("scale", [1.0, 0.37])
@pytest.mark.parametrize("trimmed", [False, True])
def test_tiles_cover_the_contour_with_their_cores(shape, scale, trimmed):
    probability = disc(*shape)
    covered = np.zeros(shape, bool)
    boxes = list(tiles(probability, scale, trimmed=trimmed))
    inset = int(MARGIN / scale)
    for top, bottom, left, right in boxes:
        assert 0 <= top < bottom <= shape[0]
        assert 0 <= left < right <= shape[1]
        assert max(bottom - top, right - left) <= round(TILE / scale)
        rows = slice(top and top + inset, bottom if bottom == shape[0] else bottom - inset)
        covered[rows, slice(left and left + inset, right if right == shape[1] else right - inset)] = True
    edge = cv2.morphologyEx(probability, cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    assert covered[edge].all()
    assert len(boxes) < 4 + 3 * edge.sum() * scale / (TILE - 2 * MARGIN)


def test_trimmed_tiles_see_less_around_the_same_contour():
    straight = np.zeros((1200, 1200), np.float32)
    straight[:, 600:] = 1  # a contour that runs down in the middle of what a tile may see
    whole, trimmed = (list(tiles(straight, 1.0, trimmed=trimmed)) for trimmed in (False, True))
    area = [sum((box.bottom - box.top) * (box.right - box.left) for box in boxes) for boxes in (whole, trimmed)]
    assert len(trimmed) == len(whole)
    assert area[1] < 0.6 * area[0]
    for box in trimmed:
        assert min(600 - box.left, box.right - 600) >= MARGIN
        assert (box.bottom - box.top) % STRIDE == (box.right - box.left) % STRIDE == 0


def test_only_tiles_along_the_contour_are_seen():
    seen = []

    def network(image, coarse):
        seen.append(coarse)
        return coarse

    look_closer(network, np.zeros((3000, 3000, 3), np.uint8), disc(3000, 3000), 0.3)
    assert all(((tile > DOUBT[0]) & (tile < DOUBT[1])).any() or np.ptp(tile) > 0.5 for tile in seen)
    assert sum(tile.size for tile in seen) < 0.6 * 3000 * 3000


def test_what_the_tiles_find_is_taken_without_a_seam():
    """A network that knows the truth in every tile mends an edge that strays, and leaves all else as it was."""
    height, width = 1100, 1400
    truth = disc(height, width, soft=8)
    image = np.repeat(np.uint8(np.rint(255 * truth))[..., None], 3, 2)
    before = disc(height, width, radius=0.345, soft=8)

    def network(crop, coarse):
        return crop[..., 0].astype(np.float32) / 255

    after = look_closer(network, image, before.copy(), 0.4)
    assert np.abs(before - truth).max() > 0.4
    assert np.abs(after - truth).max() < 0.02
    assert seam(after) < seam(truth) + 0.005


def test_nothing_far_from_the_contour_changes():
    before = disc(1200, 1200)
    after = look_closer(
        lambda image, coarse: np.ones_like(coarse), np.zeros((1200, 1200, 3), np.uint8), before.copy(), 0.4
    )
    distance = cv2.distanceTransform(np.uint8(before == 0), cv2.DIST_L2, 5)
    assert (after[distance > 30] == 0).all()
    assert after[(distance > 0) & (distance < 8)].mean() > 0.9


def test_what_was_seen_well_enough_is_not_looked_at_again():
    def network(image, coarse):
        raise AssertionError("must not be called")

    before = disc(300, 300)
    assert look_closer(network, np.zeros((300, 300, 3), np.uint8), before, 0.8) is before


def test_the_refiner_looks_closer_at_large_objects_unless_it_is_to_be_quick():
    image, coarse = (np.repeat(np.repeat(each, 12, 0), 12, 1) for each in draw(100, 130, seed=5))
    coarse = coarse.astype(np.float32) / 255
    once, closer = (Refiner(device="cpu", quick=quick)(image, coarse) for quick in (True, False))
    changed = (once > 0.5) != (closer > 0.5)
    assert 0 < changed.mean() < 0.1
    small = image[::12, ::12], coarse[::12, ::12]
    assert np.array_equal(Refiner(device="cpu", quick=True)(*small), Refiner(device="cpu")(*small))
