"""Where a contour is worth a look, cut out at the photograph's own resolution."""

import io

import numpy as np
import pytest
from PIL import Image

from spnrefine.review.places import MOVED, UNSURE, WIDE, places

SHAPE = 600, 800


@pytest.fixture
def scene():
    """A square that grew by a notch at its right side, and is unsure at its lower left corner."""
    image = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), dtype=np.uint8)
    coarse = np.zeros(SHAPE, bool)
    coarse[100:500, 100:600] = True
    refined = coarse.copy()
    refined[280:300, 600:620] = True
    probability = refined.astype(np.float32)
    probability[480:520, 90:130] = 0.5
    return image, coarse, refined, probability


def seen_in(image, jpeg):
    """Whereabouts in ``image`` a cut-out comes from: rows and columns of its best fit."""
    import cv2

    cut = np.asarray(Image.open(io.BytesIO(jpeg)))
    _, _, _, (left, top) = cv2.minMaxLoc(cv2.matchTemplate(image, cut, cv2.TM_CCORR_NORMED))
    return range(top, top + cut.shape[0]), range(left, left + cut.shape[1])


def test_the_two_places_are_those_that_moved_and_that_are_unsure(scene):
    (first, moved), (second, unsure) = places(*scene)
    assert (first, second) == (MOVED, UNSURE)
    for picture, row, column in ((moved, 290, 619), (unsure, 499, 100)):
        rows, columns = seen_in(scene[0], picture.jpeg)
        assert row in rows
        assert column in columns
        assert len(columns) == WIDE


def test_nothing_moved_and_nothing_unsure_is_no_place(scene):
    image, coarse, _, _ = scene
    assert places(image, coarse, coarse, coarse.astype(np.float32)) == []


def test_what_the_thumbnail_shows_as_it_is_needs_no_places(scene):
    image, coarse, refined, probability = (one[::4, ::4] for one in scene)
    assert places(image, coarse, refined, probability) == []


@pytest.mark.parametrize("empty", [1, 2])
def test_a_mask_that_came_or_went_does_no_harm(scene, empty):
    masks = list(scene)
    masks[empty] = np.zeros(SHAPE, bool)
    assert all(why == UNSURE for why, _ in places(*masks))


def test_an_outline_that_goes_on_is_not_closed_along_the_edge_of_the_cut(scene):
    ((_, moved), _) = places(*scene)
    start, _, steps = moved.refined.partition("l")
    assert start.startswith("M")
    x, y = (int(number) for number in start[1:].split())
    assert min(x, y) < 0 or x > moved.width or y > moved.height or "-" in steps
