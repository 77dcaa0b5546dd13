"""Mattes of composites whose alpha is known."""

import cv2
import numpy as np
import pytest

from spnrefine.refiner import matte as module
from spnrefine.refiner.exact_matte import is_exact
from spnrefine.refiner.matte import Matting


@pytest.fixture(scope="module")
def matting():
    return Matting()


def disc(size=128, radius=36, sigma=3.0, texture=0):
    """A photograph of a blurred disc over another texture, perhaps a coarse one, its alpha, and its hard mask."""
    rng = np.random.default_rng(5)
    down, across = np.indices((size, size)) - size / 2
    inside = np.hypot(down, across) < radius
    alpha = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)[..., None]
    front, behind = (colour + rng.normal(0, 3, (size, size, 3)) for colour in ((200, 120, 60), (40, 90, 130)))
    for colours in (front, behind):
        colours += texture * cv2.resize(rng.normal(size=(8, 8, 3)), (size, size), interpolation=cv2.INTER_CUBIC)
    image = np.clip(np.rint(alpha * front + (1 - alpha) * behind), 0, 255).astype(np.uint8)
    return image, alpha[..., 0], inside


def error(alpha, truth):
    """Mean absolute error, of 255."""
    return 255 * float(np.abs(alpha - truth).mean())


def test_a_hard_mask_gets_the_width_that_the_photograph_shows(matting):
    errors = {}
    for sigma in (1.0, 4.0):
        image, truth, inside = disc(sigma=sigma)
        hard = inside.astype(np.float32)
        errors[sigma] = error(hard, truth), error(matting(image, hard, hard, inside), truth)
    for coarse, found in errors.values():
        assert found < 0.6 * coarse


def test_far_from_the_contour_what_came_in_stays(matting):
    image, truth, inside = disc(200)
    coarse = truth.copy()
    coarse[4:20, 4:60] = 0.35  # a shadow's half tones
    alpha = matting(image, coarse, inside.astype(np.float32), inside)
    np.testing.assert_array_equal(alpha[4:20, 4:60], coarse[4:20, 4:60])
    assert not alpha[:4].any()
    coarse[4:20, 4:60] = 0.7  # on the other side than the refined mask
    assert matting(image, coarse, inside.astype(np.float32), inside)[4:20, 4:60].max() < 0.5


@pytest.mark.parametrize("texture", [0, 10])
def test_an_exact_matte_comes_back(matting, texture):
    image, truth, inside = disc(sigma=4.0, texture=texture)
    assert error(matting(image, truth, inside.astype(np.float32), inside), truth) < 0.3


def test_where_the_mask_was_off_no_haze_is_left(matting):
    image, truth, inside = disc(160, sigma=1.0)
    coarse = disc(160, radius=58)[2].astype(np.float32)  # 22 pixels too large
    refined = np.where(inside, 1, np.where(coarse > 0, 0.2, 0)).astype(np.float32)  # by a refiner that doubts
    alpha = matting(image, coarse, refined, inside)
    far = truth < 0.001
    far &= cv2.erode(far.astype(np.uint8), np.ones((17, 17), np.uint8)) > 0
    assert far.any()
    assert alpha[far].max() < 0.05
    assert error(alpha, truth) < 3


def test_tiles_leave_no_trace(matting, monkeypatch):
    image, _, inside = disc(160)
    hard = inside.astype(np.float32)
    whole = matting(image, hard, hard, inside)
    monkeypatch.setattr(module, "SIDE", 80)
    np.testing.assert_allclose(matting(image, hard, hard, inside), whole, atol=0.02)


def test_a_matte_that_was_found_and_fits_better_is_believed():
    image, truth, _ = disc()
    assert is_exact(image, truth, truth)
    shifted = np.roll(truth, 3, 1)
    assert not is_exact(image, shifted, truth)
