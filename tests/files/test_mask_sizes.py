"""Masks that lie or measure otherwise than their photograph."""

import numpy as np
import pytest
from PIL import Image

from spnrefine.files.images import Photograph
from spnrefine.files.masks import align, encode_mask, read_mask, resize_mask
from spnrefine.files.orientation import turn
from tests.files.making import SHAPE, encode, npy, open_bytes, palette_image
from tests.files.mask_files import COARSE, REFINED, gray, pixels_of


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_drawn_on_the_stored_pixels_turns_with_the_photograph(orientation: int) -> None:
    upright = turn(np.zeros((*SHAPE, 3), np.uint8), orientation)
    data = encode(Image.fromarray(gray(COARSE)), "PNG")
    mask = align(read_mask(data), Photograph(upright, orientation))
    assert mask.shape == upright.shape[:2]
    assert mask.orientation == (orientation if orientation > 4 else 1)
    np.testing.assert_array_equal(mask.probability, turn(COARSE, mask.orientation))
    assert encode_mask(mask, mask.probability) == data
    refined = np.ascontiguousarray(turn(REFINED, mask.orientation)).astype(np.float32)
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, refined)), gray(REFINED))
    soft = pixels_of(encode_mask(mask, refined * np.float32(0.4), soft=True))
    np.testing.assert_array_equal(soft, gray(REFINED, 102))


def test_align_leaves_upright_masks_and_other_sizes_alone() -> None:
    mask = read_mask(encode(Image.fromarray(gray(COARSE)), "PNG"))
    for shape, orientation in [(SHAPE, 6), (SHAPE[::-1], 1), (SHAPE[::-1], 3), ((5, 5), 6)]:
        assert align(mask, Photograph(np.zeros((*shape, 3), np.uint8), orientation)) is mask


def test_a_masks_own_orientation_is_followed() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(Image.fromarray(gray(COARSE)), "PNG", exif=exif)
    mask = read_mask(data)
    np.testing.assert_array_equal(mask.probability, turn(COARSE, 6))
    assert encode_mask(mask, mask.probability) == data
    refined = turn(REFINED, 6).astype(np.float32)
    np.testing.assert_array_equal(read_mask(encode_mask(mask, refined)).probability, refined)


def test_resize() -> None:
    ids = np.array([[0, 7], [7, 255]], np.uint8)
    mask = resize_mask(read_mask(encode(palette_image(ids), "PNG")), (6, 10))
    assert mask.shape == (6, 10)
    assert mask.void.tolist() == np.kron(ids == 255, np.ones((3, 5), bool)).tolist()
    assert 0 <= mask.probability.min() < mask.probability.max() <= 1
    assert ((mask.probability > 0) & (mask.probability < 1)).any()
    result = open_bytes(encode_mask(mask, mask.probability))
    assert (result.mode, result.size) == ("P", (10, 6))
    assert set(np.unique(np.asarray(result))) == {0, 7, 255}


def test_resize_of_a_turned_mask() -> None:
    upright = np.zeros((*SHAPE[::-1], 3), np.uint8)
    mask = align(read_mask(npy(gray(COARSE)[None])), Photograph(upright, 6))
    mask = resize_mask(mask, (34, 24))
    assert pixels_of(encode_mask(mask, mask.probability)).shape == (24, 34)
