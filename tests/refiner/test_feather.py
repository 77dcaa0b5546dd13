"""Hard masks whose edge was feathered are seen as they were before; others stay as soft as they came."""

import cv2
import numpy as np
import pytest

from spnrefine import Refiner
from spnrefine.refiner.feather import LOOKED_AT, without_feather

HEIGHT, WIDTH = 200, 260


def drawn(scale=1):
    inside = np.zeros((HEIGHT * scale, WIDTH * scale), np.uint8)
    cv2.ellipse(inside, (110 * scale, 90 * scale), (80 * scale, 55 * scale), 25, 0, 360, 1, -1)
    cv2.rectangle(inside, (100 * scale, 90 * scale), (160 * scale, 170 * scale), 1, -1)
    return inside.astype(np.float32)


def ramp(pixels):
    inside = drawn().astype(np.uint8)
    within, without = (cv2.distanceTransform(each, cv2.DIST_L2, 5) for each in (inside, 1 - inside))
    return np.clip(0.5 + (within - without) / pixels, 0, 1)


FEATHERED = {
    "blurred a little": cv2.GaussianBlur(drawn(), (0, 0), 0.8),
    "blurred": cv2.GaussianBlur(drawn(), (0, 0), 1.3),
    "averaged": cv2.blur(drawn(), (5, 5)),
    "a ramp": ramp(5),
    "in eight bits": np.rint(cv2.GaussianBlur(drawn(), (0, 0), 1.2) * 255).astype(np.float32) / 255,
    "large": cv2.GaussianBlur(drawn(12), (0, 0), 8),
}
SOFT = {
    "a wide edge": cv2.GaussianBlur(drawn(), (0, 0), 8),
    "of a lower resolution": cv2.resize(cv2.resize(drawn(), (52, 40), interpolation=cv2.INTER_AREA), (WIDTH, HEIGHT)),
    "surer in some places": cv2.GaussianBlur(drawn(), (0, 0), 1)
    + np.where(
        np.arange(WIDTH) < 120, cv2.GaussianBlur(drawn(), (0, 0), 3) - cv2.GaussianBlur(drawn(), (0, 0), 0.5), 0
    ),
    "a faint area": np.maximum(
        cv2.GaussianBlur(drawn(), (0, 0), 1), np.pad(np.full((40, 60), 0.3), ((150, 10), (190, 10)))
    ),
}


@pytest.mark.parametrize("name", FEATHERED)
def test_a_feathered_mask_is_seen_as_it_was(name):
    feathered = FEATHERED[name].astype(np.float32)
    seen = without_feather(feathered)
    assert seen.dtype == np.bool_
    np.testing.assert_array_equal(seen, feathered > 0.5)


@pytest.mark.parametrize("name", SOFT)
def test_other_soft_masks_stay(name):
    soft = np.clip(SOFT[name], 0, 1).astype(np.float32)
    assert without_feather(soft) is soft


@pytest.mark.parametrize("mask", [drawn(), drawn() > 0, np.zeros((9, 9), np.float32), np.full((9, 9), 0.4, np.float32)])
def test_so_do_hard_and_empty_ones(mask):
    assert without_feather(mask) is mask


def test_the_refiner_makes_of_it_what_it_makes_of_the_hard_mask():
    draw = np.random.default_rng(3)
    image = np.clip(90 + 80 * drawn()[..., None] + draw.normal(0, 8, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    feathered = cv2.GaussianBlur(np.roll(drawn(), (3, -4), (0, 1)), (0, 0), 1.2)
    refiner = Refiner("general", "cpu", 1)
    np.testing.assert_array_equal(refiner(image, feathered), refiner(image, (feathered > 0.5).astype(np.float32)))


def test_left_alone_it_stays_feathered():
    feathered = cv2.GaussianBlur(drawn(), (0, 0), 1.2)
    refiner = Refiner("general", "cpu", 1, off=0)
    np.testing.assert_array_equal(refiner(np.zeros((HEIGHT, WIDTH, 3), np.uint8), feathered), feathered)


def test_large_is_larger_than_what_is_looked_at():
    assert min(FEATHERED["large"].shape) > LOOKED_AT
