"""Lines and gaps that are thinner than the network sees are kept, and looked at where they can be seen."""

import cv2
import numpy as np
import pytest

from spnrefine.boxes import ids
from spnrefine.refiner import Refiner, thin
from spnrefine.refiner.joint import refine_labels
from spnrefine.refiner.thin import keep_lines, thin_places


def cells(side=1024, pitch=64, gap=2):
    """A photograph (H, W, 3) of square cells parted by dark lines, and their ids (H, W)."""
    count = side // pitch
    ids = np.arange(1, count * count + 1, dtype=np.uint16).reshape(count, count).repeat(pitch, 0).repeat(pitch, 1)
    lines = np.arange(side) % pitch < gap
    ids[lines] = 0
    ids[:, lines] = 0
    rng = np.random.default_rng(1)
    shades = rng.integers(110, 200, (count * count + 1, 3)).astype(np.float32)
    shades[0] = 40
    image = cv2.GaussianBlur(shades[ids], (0, 0), 0.6) + rng.normal(0, 4, (side, side, 3))
    return np.clip(image, 0, 255).astype(np.uint8), ids


def parts(mask):
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1


@pytest.fixture(scope="module")
def refiner():
    return Refiner(device="cpu")


def test_cells_parted_by_thin_lines_stay_apart(refiner):
    image, ids = cells()
    refined = refiner(image, (ids > 0).astype(np.float32)) > 0.5
    assert parts(refined) == parts(ids > 0) == 256


def test_background_between_two_ids_of_a_map_is_not_given_away(refiner):
    image, ids = cells(side=192)
    refined, _ = refine_labels(refiner, image, ids)
    assert (refined[ids == 0] == 0).mean() > 0.98


def test_lines_are_found_below_the_scale_at_which_they_can_be_seen():
    mask = np.zeros((300, 300), np.float32)
    mask[100:200, 40:140] = 1
    mask[150:152, 140:280] = 1
    assert thin_places(mask, 1.0) is None
    thin = thin_places(mask, 0.4)
    assert thin is not None
    assert thin[151, 200]
    assert not thin[120, 60]
    assert thin_places(cv2.GaussianBlur(mask, (0, 0), 6), 0.4) is None, "a soft mask claims no lines"


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_line_that_was_lost_comes_back_and_one_that_moved_does_not(value):
    coarse = np.full((80, 120), 1 - value, np.float32)
    coarse[40:42] = value
    lost = np.full_like(coarse, 1 - value)
    assert np.array_equal(keep_lines(coarse, lost, 1.0), coarse)
    moved = lost.copy()
    moved[42:44] = value
    assert keep_lines(coarse, moved, 1.0) is moved


def test_even_widths_are_measured_in_place():
    mask = np.zeros((60, 60), np.float32)
    mask[20:40, 20:40] = 1
    bitten = mask.copy()
    bitten[20, 20:24] = 0
    assert keep_lines(mask, bitten, 1.3) is bitten


def test_a_notch_of_one_part_is_no_gap():
    coarse = np.zeros((80, 120), np.float32)
    coarse[20:60, 10:110] = 1
    coarse[20:50, 60:62] = 0
    filled = coarse.copy()
    filled[20:60, 10:110] = 1
    assert keep_lines(coarse, filled, 1.0) is filled


@pytest.mark.parametrize("seed", range(4))
def test_some_rows_at_a_time_give_what_all_at_once_do(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    coarse = (cv2.GaussianBlur(rng.normal(0, 1, (240, 90)), (0, 0), 2) > 0).astype(np.float32)
    refined = cv2.GaussianBlur(coarse, (0, 0), 3)
    refined[100:180] *= np.float32(0.4)  # there all is lost
    places, kept = thin_places(coarse, 0.2), keep_lines(coarse, refined.copy(), 0.2)
    monkeypatch.setattr(thin, "STRIP", 1)
    monkeypatch.setattr(thin, "ROWS_A_SIDE", 1)
    monkeypatch.setattr(ids, "STRIP", 90 * 7)
    assert np.array_equal(thin_places(coarse, 0.2), places)
    assert np.array_equal(keep_lines(coarse, refined.copy(), 0.2), kept)
    assert places is not None
    assert places.any()
    assert not np.array_equal(kept, refined)


def test_bools_are_refined_as_their_probabilities():
    image = np.full((400, 600, 3), 60, np.uint8)
    cv2.circle(image, (280, 200), 120, (200, 180, 90), -1)
    coarse = cv2.circle(np.zeros((400, 600), np.uint8), (290, 206), 112, 1, -1).astype(bool)
    refiner = Refiner(device="cpu", threads=1)
    assert np.array_equal(refiner(image, coarse), refiner(image, coarse.astype(np.float32)))
