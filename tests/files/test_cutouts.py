"""Masks in an alpha channel keep it, and get the colours that go with it."""

import io

import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files import masks
from spnrefine.files.cutouts import LUMA, encode_cutout
from spnrefine.files.orientation import turn

RNG = np.random.default_rng(3)
COLOURS = RNG.integers(0, 256, (12, 16, 3), np.uint8)
INSIDE = np.zeros((12, 16), bool)
INSIDE[3:9, 4:10] = True
WIDER = np.roll(INSIDE, 2, 1)


def cutout(inside=INSIDE, colours=None, channels=4):
    """Encode a cut-out as most tools save it: black where nothing shows."""
    shown = np.where(inside[..., None], RNG.integers(1, 256, (12, 16, 3), np.uint8) if colours is None else colours, 0)
    pixels = np.dstack([shown if channels == 4 else shown[..., :1], np.where(inside, 255, 0)]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return pixels, buffer.getvalue()


def refined(data, wanted, **how):
    written = masks.encode_mask(masks.read_mask(data), wanted, colours=lambda: COLOURS, **how)
    return np.asarray(Image.open(io.BytesIO(written)))


@pytest.mark.parametrize("channels", [4, 2])
def test_where_alpha_rises_the_colour_is_the_photographs(channels):
    before, data = cutout(channels=channels)
    after = refined(data, WIDER)
    rises = WIDER & ~INSIDE
    np.testing.assert_array_equal(after[..., -1], np.where(WIDER, 255, 0))
    expected = COLOURS[rises] if channels == 4 else np.rint(COLOURS[rises] @ LUMA)[:, None]
    np.testing.assert_array_equal(after[rises, :-1], expected)
    both = INSIDE & WIDER
    np.testing.assert_array_equal(after[both], before[both])
    assert not after[INSIDE & ~WIDER, :-1].any()  # black, as all that does not show


def test_a_soft_mask_keeps_its_alpha_channel():
    _, data = cutout()
    probability = np.where(WIDER, np.float32(0.8), np.float32(0))
    after = refined(data, probability, soft=True)
    assert after.shape == (12, 16, 4)
    np.testing.assert_array_equal(after[..., 3], np.where(WIDER, 204, 0))
    np.testing.assert_array_equal(after[WIDER, :3], COLOURS[WIDER])  # partial everywhere
    assert refined(data, probability, soft=True, format="BMP").shape == (12, 16)


def test_a_mask_painted_in_one_colour_goes_on_in_it():
    _, data = cutout(colours=np.array([9, 8, 7]))
    for after in (refined(data, WIDER), refined(data, WIDER * np.float32(0.5), soft=True)):
        assert (after[WIDER, :3] == (9, 8, 7)).all()


@pytest.mark.parametrize("soft", [False, True])
def test_where_nothing_changes_the_bytes_are_the_files_own(soft):
    _, data = cutout()
    mask = masks.read_mask(data)
    wanted = INSIDE.astype(np.float32) if soft else INSIDE
    assert masks.encode_mask(mask, wanted, soft=soft, colours=lambda: pytest.fail("not needed")) == data


def test_colours_are_turned_as_the_mask_is():
    from spnrefine.files.images import Photograph
    from spnrefine.files.sizes import align

    _, data = cutout()
    photograph = Photograph(np.ascontiguousarray(turn(COLOURS, 6)), 6)
    mask = align(masks.read_mask(data), photograph)
    wanted = turn(WIDER, 6)
    written = masks.encode_mask(mask, wanted, colours=lambda: photograph.pixels)
    after = np.asarray(Image.open(io.BytesIO(written)))
    rises = WIDER & ~INSIDE
    np.testing.assert_array_equal(after[rises, :3], COLOURS[rises])


def test_a_cut_out_is_rgba_in_formats_that_hold_it():
    alpha = np.linspace(0, 1, 12 * 16, dtype=np.float32).reshape(12, 16)
    for extension in (".png", ".tif", ".webp"):
        picture = np.asarray(Image.open(io.BytesIO(encode_cutout(COLOURS, alpha, extension))))
        np.testing.assert_array_equal(picture, np.dstack([COLOURS, np.rint(255 * alpha).astype(np.uint8)]))
    with pytest.raises(FileError, match=r"cut-out cannot be written as '\.bmp'"):
        encode_cutout(COLOURS, alpha, ".bmp")
