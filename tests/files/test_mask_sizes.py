"""Masks that lie or measure otherwise than their photograph."""

import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import ShapeError
from spnrefine.files.images import Photograph
from spnrefine.files.masks import encode_mask, read_mask
from spnrefine.files.orientation import turn
from spnrefine.files.sizes import LETTERBOX, align, fit, resize_mask
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


WIDE = (60, 100)


def letterboxed(side: int = 50) -> np.ndarray:
    """A square mask of a photograph of WIDE: half its size, and zeros above and below."""
    pixels = np.zeros((side, side), np.uint8)
    pixels[15:30, 10:30] = 255
    return pixels


@pytest.mark.parametrize(
    "make",
    [
        lambda pixels: encode(Image.fromarray(pixels), "PNG"),
        lambda pixels: npy(pixels.astype(np.float32)[None] / 255),
        lambda pixels: npy(np.stack([pixels, pixels])),
        lambda pixels: npy((pixels // 255).astype(np.int32) * 3 + np.eye(50, 50, 15, int) * (pixels > 0)),
    ],
    ids=["PNG", "floats", "stack", "ids"],
)
def test_a_letterbox_is_undone(make) -> None:
    mask = read_mask(make(letterboxed()))
    names = {"name": "m.png", "photograph": "p.jpg"}
    for resize in (False, True):
        with pytest.raises(ShapeError, match=r"m.png is 50 x 50 .* --resize-mask letterbox cuts them off\.$"):
            fit(mask, WIDE, resize, **names)
    fitted = fit(mask, WIDE, LETTERBOX, **names)
    inside = fitted.probability > 0.5
    assert fitted.shape == WIDE
    assert inside[10:40, 20:60].all()
    assert inside.sum() == 30 * 40
    planes = fitted.probability if mask.stack is None else fitted.stack.planes
    written = encode_mask(fitted, planes if mask.labels is None else fitted.labels, format="NPY")
    assert (pixels_of(written) > 0).sum() == inside.sum() * (1 if mask.stack is None else 2)


def test_the_same_picture_at_another_size_is_resized_and_no_other() -> None:
    names = {"name": "m.png", "photograph": "p.jpg"}
    for shape in ((30, 50), (59, 100), (61, 99), (7, 11), (120, 200)):
        assert fit(read_mask(npy(np.eye(*shape))), WIDE, True, **names).shape == WIDE
        with pytest.raises(ShapeError, match="expected equal sizes, or --resize-mask"):
            fit(read_mask(npy(np.eye(*shape))), WIDE, False, **names)
    for shape, words in (
        ((100, 60), "sides are exchanged"),
        ((120, 100), "2 masks above each other"),
        ((50, 50), "expected the photograph's size, or at least its proportions"),
    ):
        with pytest.raises(ShapeError, match=words):
            fit(read_mask(npy(np.ones(shape))), WIDE, True, **names)
    with pytest.raises(ShapeError, match="but there is an object"):
        fit(read_mask(npy(np.ones((50, 50)))), WIDE, LETTERBOX, **names)
