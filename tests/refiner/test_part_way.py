import cv2
import numpy as np
import pytest

from spnrefine.refiner.choice import Choice
from spnrefine.refiner.contour import distance_to
from spnrefine.refiner.part_way import between, held, settled, signed_distance


def disc(radius, side=80):
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.hypot(x, y) <= radius


def distances(inside):
    """Return how far each pixel that is set is from the nearest that is not, one pair after another."""
    every = np.argwhere(np.ones_like(inside))
    apart = np.hypot(*(every[:, None] - np.argwhere(~inside)).transpose(2, 0, 1))
    return apart.min(axis=1).reshape(inside.shape)


def test_signed_distances_are_those_between_pixels():
    inside = disc(15, side=40) ^ disc(5, side=40)
    expected = np.where(inside, distances(inside) - 0.5, 0.5 - distances(~inside))
    assert np.allclose(signed_distance(inside), expected, atol=1e-3)


def test_distances_are_roots_of_whole_numbers_whatever_the_threads():
    marked = np.zeros((700, 500), bool)
    marked[[3, 350, 699], [499, 20, 250]] = True
    rows, columns = np.indices(marked.shape)
    squares = np.min([(rows - y) ** 2 + (columns - x) ** 2 for y, x in np.argwhere(marked)], axis=0)
    before = cv2.getNumThreads()
    try:
        for threads in (1, 2):
            cv2.setNumThreads(threads)
            np.testing.assert_array_equal(distance_to(marked), np.sqrt(squares.astype(np.float32)))
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize(("strength", "radius"), [(0.25, 12.5), (0.5, 15), (0.75, 17.5)])
def test_between_two_discs_lies_a_disc(strength, radius):
    found = between(disc(10), disc(20), strength)
    assert np.array_equal(found, between(disc(20), disc(10), 1 - strength))
    assert abs(np.sqrt(found.sum() / np.pi) - radius) < 0.3
    assert (found ^ disc(radius)).mean() < 0.005


def test_what_both_agree_on_stays():
    rng = np.random.default_rng(1)
    before, after = (cv2.GaussianBlur(rng.normal(size=(60, 70)), (0, 0), 4) > 0 for _ in range(2))
    found = between(before, after, 0.6)
    assert np.array_equal(found[before == after], after[before == after])
    assert (found != before).any()
    assert (found != after).any()


def test_without_a_contour_there_is_no_way_between():
    nothing, everything = np.zeros((9, 9), bool), np.ones((9, 9), bool)
    some = disc(3, 9)
    assert np.array_equal(between(some, nothing, 0.4), some)
    assert np.array_equal(between(some, everything, 0.6), everything)
    assert not between(nothing, nothing, 0.5).any()


def test_probabilities_are_mixed_and_held_on_the_side_of_the_new_contour():
    coarse = disc(10).astype(np.float32)
    refined = np.where(disc(20), np.float32(0.9), np.float32(0.2))
    found = settled(coarse, refined, Choice(strength=0.5), threshold=0.3)
    assert np.array_equal(found > 0.3, between(disc(10), disc(20), 0.5))
    mixed = 0.5 * coarse + 0.5 * refined
    sides_agree = (mixed > 0.3) == (found > 0.3)
    assert np.allclose(found[sides_agree], mixed[sides_agree])
    assert np.allclose(found[~sides_agree], 0.3)


def test_the_ends_are_the_masks_themselves():
    coarse, refined = (np.random.default_rng(n).random((8, 8), np.float32) for n in (0, 1))
    assert settled(coarse, refined, Choice()) is refined
    assert settled(coarse, refined, Choice(strength=0)) is coarse


def test_a_map_held_at_one_is_above_nothing():
    inside = disc(3, 9)
    assert np.array_equal(held(np.full((9, 9), 0.5, np.float32), inside, 0.5) > 0.5, inside)


def test_a_contour_is_moved_by_a_share_of_the_size_and_no_farther_than_the_band():
    coarse, refined = (disc(radius).astype(np.float32) for radius in (20, 26))
    size = np.sqrt(coarse.sum())
    out = settled(coarse, refined, Choice(strength=0, grow=0.1)) > 0.5
    assert abs(np.sqrt(out.sum() / np.pi) - (20 + 0.1 * size)) < 0.3
    near = settled(coarse, refined, Choice(band=0.1)) > 0.5
    assert abs(np.sqrt(near.sum() / np.pi) - (20 + 0.1 * size)) < 0.7


def test_the_contour_lies_at_a_level():
    coarse = disc(20).astype(np.float32)
    y, x = np.mgrid[:80, :80] - 39.5
    refined = np.clip(0.5 + (20 - np.hypot(x, y)) / 20, 0, 1).astype(np.float32)  # 0.3 four pixels outside
    found = settled(coarse, refined, Choice(level=0.3))
    assert np.array_equal(found > 0.5, refined > np.float32(0.3))
