"""Thumbnails: what they show, and that they stay small whatever they are made of."""

import io
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from spnrefine.boxes.boxed import Boxed
from spnrefine.review.thumbnails import FINE, HEIGHT, JPEG_BYTES, PATH_BYTES, WIDTH, crop_box, thumbnail
from tests.review.making import arrays


def size(picture):
    with Image.open(io.BytesIO(picture.jpeg)) as image:
        assert image.format == "JPEG"
        return image.size


def drawn(path, width, height):
    """The mask that SVG path data outlines."""
    contours = []
    for x, y, steps in re.findall(r"M(\d+) (\d+)l([^z]*)z", path):
        numbers = [int(number) for number in re.findall(r"-?\d+", steps)]
        first = np.array([[int(x), int(y)]])
        contours.append(np.vstack([first, first + np.cumsum(np.reshape(numbers, (-1, 2)), axis=0)]).astype(np.int32))
    mask = np.zeros((height, width), np.uint8)
    return cv2.fillPoly(mask, contours, 1) > 0  # of several contours, even-odd


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 2), (40, 60), (240, 320), (1500, 1100)])
def test_pictures_fit_the_frame(shape):
    image = np.full((*shape, 3), 90, np.uint8)
    picture = thumbnail(image, np.ones(shape, bool), np.ones(shape, bool))
    width, height = size(picture)
    assert width <= WIDTH
    assert height <= HEIGHT
    assert picture.width <= FINE * WIDTH
    assert picture.height <= FINE * HEIGHT
    assert picture.coarse == picture.refined != ""


def test_no_mask_at_all_shows_the_whole_photograph():
    image, coarse, _ = arrays(height=60, width=80)
    picture = thumbnail(image, coarse & False, coarse & False)
    assert size(picture) == (80, 60)
    assert picture.coarse == picture.refined == ""


@pytest.mark.parametrize("transform", [lambda a: a, lambda a: a[::-1], lambda a: a[:, ::-1]])
def test_paths_follow_the_masks(transform):
    image, coarse, refined = (transform(array) for array in arrays(3))
    coarse = coarse.copy()
    coarse[100:140, 150:190] = False  # a hole
    picture = thumbnail(image, coarse, refined)
    crop = crop_box(Boxed.of(coarse | refined))
    for mask, path in ((coarse, picture.coarse), (refined, picture.refined)):
        shown = drawn(path, picture.width, picture.height)
        exact = cv2.resize(mask[crop.slices].astype(np.uint8), (picture.width, picture.height)) > 0
        assert (shown & exact).sum() / (shown | exact).sum() > 0.98


def test_a_border_that_moved_between_two_ids_is_seen():
    image, _, _ = arrays(height=60, width=80)
    before = np.zeros((60, 80), np.uint8)
    before[10:50, 10:40], before[10:50, 40:70] = 3, 7
    after = before.copy()
    after[10:50, 40:46] = 3
    picture = thumbnail(image, before, after)
    assert picture.coarse != picture.refined
    assert thumbnail(image, before != 0, after != 0).coarse != picture.coarse
    box = thumbnail(image, before != 0, before != 0)
    shown = drawn(picture.coarse, box.width, box.height), drawn(box.coarse, box.width, box.height)
    assert (shown[0] != shown[1]).mean() < 0.01


def test_many_ids_take_no_more_room_than_one_mask():
    image, _, _ = arrays(height=60, width=80)
    ids = np.arange(60 * 80, dtype=np.uint16).reshape(60, 80) % 1000
    picture = thumbnail(image, ids, ids)
    assert 0 < len(picture.coarse) <= PATH_BYTES


def test_noise_takes_no_more_room_than_anything_else():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (480, 640, 3), np.uint8)
    picture = thumbnail(image, rng.random((480, 640)) > 0.5, rng.random((480, 640)) > 0.9)
    assert len(picture.jpeg) < 2 * JPEG_BYTES
    assert 0 < len(picture.coarse) <= PATH_BYTES
    assert 0 < len(picture.refined) <= PATH_BYTES


def test_the_crop_surrounds_the_masks_in_the_frame_shape():
    masks = np.zeros((1000, 2000), bool)
    masks[400:500, 600:800] = True
    rows, columns = crop_box(Boxed.of(masks)).slices
    assert rows.start < 400
    assert rows.stop > 500
    assert columns.start < 600
    assert columns.stop > 800
    assert (columns.stop - columns.start) / (rows.stop - rows.start) == pytest.approx(WIDTH / HEIGHT, rel=0.02)


@pytest.mark.parametrize("corner", [(slice(0, 3), slice(0, 3)), (slice(97, 100), slice(147, 150))])
def test_the_crop_stays_inside_the_photograph(corner):
    masks = np.zeros((100, 150), bool)
    masks[corner] = True
    rows, columns = crop_box(Boxed.of(masks)).slices
    assert 0 <= rows.start < rows.stop <= 100
    assert 0 <= columns.start < columns.stop <= 150
    assert masks[rows, columns].sum() == 9
    assert rows.stop - rows.start == 64
