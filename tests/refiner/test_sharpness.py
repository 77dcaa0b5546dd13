from copy import copy

import cv2
import numpy as np
import pytest

from spnrefine import Refiner
from spnrefine.refiner.refiner import FINER
from spnrefine.refiner.sharpness import shows_more

SIDE, WORKING = 720, 512


@pytest.fixture(scope="module")
def sharp():
    """Draw stripes and blocks whose edges are as steep as pixels allow."""
    rng = np.random.default_rng(5)
    blocks = np.kron(rng.integers(0, 255, (60, 60, 3)), np.ones((12, 12, 1))).astype(np.uint8)
    blocks[::40] = 255
    return blocks


def blurred(image, pixels):
    return cv2.GaussianBlur(image, (0, 0), pixels)


def test_sharp_photographs_show_more_and_blurred_or_enlarged_ones_do_not(sharp):
    assert shows_more(sharp, WORKING, 768)
    assert not shows_more(blurred(sharp, 2.5), WORKING, 768)
    enlarged = cv2.resize(sharp[:240, :240], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    assert not shows_more(enlarged, WORKING, 768)


def test_noise_does_not_make_a_blurred_photograph_sharp(sharp):
    noise = np.random.default_rng(6).normal(0, 4, sharp.shape)
    noisy = np.clip(blurred(sharp, 2.5) + noise, 0, 255).astype(np.uint8)
    assert not shows_more(noisy, WORKING, 768)


def test_a_frame_that_is_seen_whole_shows_no_more(sharp):
    assert not shows_more(sharp[:500, :500], WORKING, 768)


@pytest.mark.parametrize(
    ("kind", "image", "longer"),
    [("polygon", "sharp", SIDE), ("soft", "sharp", FINER["soft"]), ("hard", "sharp", WORKING),
     ("polygon", "blurred", WORKING)],
)  # fmt: skip
def test_sharp_frames_of_soft_masks_and_polygons_are_seen_finer(sharp, kind, image, longer):
    coarse = np.zeros((SIDE, SIDE), np.float32)
    coarse[100:620, 100:620] = 1
    if kind == "soft":
        coarse = cv2.GaussianBlur(coarse, (0, 0), 9)
    if kind == "hard":
        coarse = cv2.circle(np.zeros_like(coarse), (360, 360), 280, 1.0, -1)
    refiner, sizes = Refiner(device="cpu", threads=1), []

    def see(crop, mask, off=None):
        sizes.append(max(mask.shape))
        return mask

    for name in (None, "polygon"):
        refiner.sights[name] = copy(refiner.sights[name])
        refiner.sights[name].network = Watched(see, refiner.sights[None].network.config)
    refiner(sharp if image == "sharp" else blurred(sharp, 2.5), coarse)
    assert sizes[0] == longer


class Watched:
    def __init__(self, see, config):
        self.config, self._see = config, see

    def __call__(self, crop, mask, off=None):
        return self._see(crop, mask, off)
