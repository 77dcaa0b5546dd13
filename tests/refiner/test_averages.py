from copy import copy

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spnrefine import Refiner
from spnrefine.refiner.averages import keep_averages, keep_matte_averages
from tests.refiner.test_cells import blob, lowered

HEIGHT, WIDTH = 200, 260


def seen(truth, moved=(2, 3), blur=1.5, share=0.5):
    """Return what a network may have seen: the object, in its upper part some pixels off, and not sure of its edge."""
    found = truth.copy()
    upper = slice(0, int(share * len(truth)))
    found[upper] = np.roll(truth, moved, (0, 1))[upper]
    return cv2.GaussianBlur(found.astype(np.float32), (0, 0), blur)


def error(mask, truth):
    return np.count_nonzero((mask > 0.5) != truth)


@settings(max_examples=30)  # 20 ms each
@given(st.floats(8, 20), st.integers(0, 30))
def test_each_cell_holds_as_much_of_the_object_as_the_mask_says(cell, seed):
    truth = blob(HEIGHT, WIDTH, seed)
    small, mask = lowered(truth, (round(HEIGHT / cell), round(WIDTH / cell)))
    refined = seen(truth)
    before = refined.copy()
    assert keep_averages(mask, refined)
    assert refined.min() >= 0
    assert refined.max() <= 1
    now, then = (
        cv2.resize((map_ > 0.5).astype(np.float32), small.shape[::-1], interpolation=cv2.INTER_AREA)
        for map_ in (refined, before)
    )
    edge = (small > 0.02) & (small < 0.98)
    off, was = np.abs(now - small)[edge].mean(), np.abs(then - small)[edge].mean()
    assert off < 0.04
    assert off < 0.5 * was
    assert error(refined, truth) < 0.5 * error(before, truth)


def test_bilinear_reduction_is_known_too():
    truth = blob(HEIGHT, WIDTH)
    small = Image.fromarray(np.uint8(255 * truth)).resize((26, 20), Image.Resampling.BILINEAR)
    mask = np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), np.float32) / 255
    refined = seen(truth)
    before = error(refined, truth)
    assert keep_averages(mask, refined)
    assert error(refined, truth) < 0.4 * before


def test_repeated_pixels_are_averages_too():
    truth = blob(HEIGHT, WIDTH)
    small, _ = lowered(truth, (20, 26))
    refined = seen(truth)
    before = error(refined, truth)
    assert keep_averages(np.kron(small, np.ones((10, 10), np.float32)), refined)
    assert error(refined, truth) < 0.4 * before


def test_where_the_photograph_shows_the_edge_elsewhere_the_mask_is_not_believed():
    truth = blob(HEIGHT, WIDTH)
    _, mask = lowered(truth, (20, 26))
    refined = seen(truth, moved=(5, 6), share=1)
    before = refined.copy()
    assert not keep_averages(mask, refined)
    assert np.array_equal(refined, before)


def test_an_error_in_places_is_the_network_s_and_one_everywhere_the_mask_s():
    truth = blob(HEIGHT, WIDTH)
    _, mask = lowered(truth, (20, 26))
    in_places, everywhere = seen(truth, moved=(5, 6), share=0.3), seen(truth, moved=(1, 2), share=1)
    before = error(in_places, truth)
    assert before > error(everywhere, truth)
    assert not keep_averages(mask, everywhere)
    assert keep_averages(mask, in_places)
    assert error(in_places, truth) < 0.25 * before
    larger = seen(cv2.dilate(truth.astype(np.uint8), np.ones((3, 3))) > 0, share=0)  # as a network draws it: all of it
    before = error(larger, truth)
    assert keep_averages(mask, larger)
    assert error(larger, truth) < 0.5 * before


def test_cells_that_are_no_averages_of_a_hard_mask_are_not_believed():
    truth = blob(HEIGHT, WIDTH)
    small, _ = lowered(truth, (20, 26))
    unsure = cv2.GaussianBlur(small, (0, 0), 1.2)  # as a network's at an eighth of the resolution
    mask = cv2.resize(unsure, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    assert not keep_averages(mask, seen(truth))


@pytest.mark.parametrize("how", [cv2.INTER_LINEAR, cv2.INTER_NEAREST])
def test_cells_that_were_cut_at_a_half_are_no_averages(how):
    truth = blob(HEIGHT, WIDTH)
    small, _ = lowered(truth, (20, 26))
    mask = cv2.resize((small > 0.5).astype(np.float32), (WIDTH, HEIGHT), interpolation=how)
    assert not keep_averages(mask, seen(truth))
    assert not keep_matte_averages(mask, seen(truth))


def test_masks_that_were_not_enlarged_stay():
    truth = blob(HEIGHT, WIDTH)
    refined = seen(truth)
    before = refined.copy()
    assert not keep_averages(truth.astype(np.float32), refined)
    assert np.array_equal(refined, before)


def test_parts_that_were_enlarged_each_by_itself_keep_theirs_and_a_stray_pixel_changes_nothing():
    truths = [blob(HEIGHT, WIDTH), blob(HEIGHT, WIDTH, seed=4)]
    masks = [lowered(truth, cells)[1] for truth, cells in zip(truths, [(20, 26), (17, 19)], strict=True)]
    truth, mask = np.hstack(truths), np.hstack(masks)
    refined = np.hstack([seen(each) for each in truths])
    before = error(refined, truth)
    mask[2, -3] = 1
    assert keep_averages(mask, refined)
    assert error(refined[:, :WIDTH], truths[0]) < 0.3 * before
    assert error(refined[:, WIDTH:], truths[1]) < 0.3 * before


def test_two_photographs_side_by_side_are_corrected_as_each_would_be_alone():
    left, right = blob(HEIGHT, WIDTH), blob(160, WIDTH, seed=4)
    left = np.roll(left, 80, 1)  # it meets the other photograph
    left[:, :80] = False
    masks = lowered(left, (20, 26))[1], lowered(right, (17, 19))[1]
    alone = seen(left), seen(right)
    pad = ((0, HEIGHT - len(right)), (0, 0))
    both, mask = (np.hstack([one, np.pad(other, pad)]) for one, other in (alone, masks))
    assert keep_averages(mask, both)
    for coarse, refined in zip(masks, alone, strict=True):
        assert keep_averages(coarse, refined)
    np.testing.assert_allclose(both[:, :WIDTH], alone[0], atol=0.02)
    assert error(both[: len(right), WIDTH:], alone[1] > 0.5) < 20
    assert not both[len(right) :, WIDTH:].any()


@pytest.mark.parametrize("cell", [40, 75])
def test_of_large_cells_some_pixels_are_enough(cell):
    truth = blob(600, 900)
    _, mask = lowered(truth, (600 // cell, 900 // cell))
    refined = seen(truth, moved=(4, 6), share=1)
    before = error(refined, truth)
    assert keep_averages(mask, refined)
    assert error(refined, truth) < 0.5 * before


def test_a_matte_keeps_the_averages_of_its_cells():
    alpha = cv2.GaussianBlur(blob(HEIGHT, WIDTH).astype(np.float32), (0, 0), 4)
    small, coarse = lowered(alpha, (25, 32))
    found = np.clip(cv2.GaussianBlur(blob(HEIGHT, WIDTH).astype(np.float32), (0, 0), 2.5), 0, 1)  # too steep an edge
    before = np.abs(found - alpha).sum()
    assert keep_matte_averages(coarse, found)
    assert np.abs(found - alpha).sum() < 0.6 * before
    assert found.min() == 0
    assert found.max() == 1
    np.testing.assert_allclose(cv2.resize(found, (32, 25), interpolation=cv2.INTER_AREA), small, atol=0.05)
    assert not keep_matte_averages(coarse, np.roll(found, 4, 1))


class _Deceived:
    """A network's sight that takes the object for some pixels off; it counts how often it looks."""

    def __init__(self, truth):
        self.truth, self.looks = truth, 0

    def __call__(self, image, coarse, off=None, finer=None, *, form=None):
        self.looks += 1
        return seen(self.truth)


@pytest.fixture
def deceived(monkeypatch):
    truth = blob(HEIGHT, WIDTH)
    sight = _Deceived(truth)

    def refiner(**options):
        made = copy(Refiner(device="cpu"))
        made.__dict__.update(sights={None: sight}, **options)
        return made

    return truth, sight, refiner


def test_the_refiner_keeps_them_and_looks_again_only_where_it_shall_do_its_best(deceived):
    truth, sight, refiner = deceived
    image = np.repeat(np.uint8(200 * truth)[..., None], 3, 2)
    _, mask = lowered(truth, (20, 26))
    assert error(refiner()(image, mask), truth) < 0.5 * error(seen(truth), truth)
    assert sight.looks == 1
    refiner(best=True)(image, mask)
    assert sight.looks == 3


def test_a_distance_that_is_told_is_believed_in_place_of_the_averages(deceived):
    truth, _, refiner = deceived
    image = np.repeat(np.uint8(200 * truth)[..., None], 3, 2)
    _, mask = lowered(truth, (20, 26))
    assert np.array_equal(refiner().told(6)(image, mask), seen(truth))
