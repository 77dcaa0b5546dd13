"""Refined masks come back in the clothes of the coarse ones, in every format."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from spnrefine.errors import FileError, ShapeError
from spnrefine.files.masks import Mask, encode_mask, extension, read_mask
from tests.files.making import encode, npy, open_bytes, palette_image
from tests.files.mask_files import COARSE, EACH, FILES, REFINED, gray, pixels_of, values


@EACH
def test_unchanged_masks_come_back_byte_for_byte(make, kind: str, format: str) -> None:
    data = make(COARSE)
    mask = read_mask(data)
    assert encode_mask(mask, mask.probability) == data
    almost = np.clip(mask.probability, 0.2, 0.8)  # other probabilities, the same side of the threshold
    assert encode_mask(mask, almost) == data


@EACH
def test_changed_masks_look_like_the_file_the_same_program_would_write(make, kind: str, format: str) -> None:
    data = encode_mask(read_mask(make(COARSE)), REFINED.astype(np.float32) * np.float32(0.9))
    expected = make(REFINED)
    result, model = pixels_of(data), pixels_of(expected)
    assert result.dtype == model.dtype
    np.testing.assert_array_equal(result, model)
    if format != "NPY":
        image, other = open_bytes(data), open_bytes(expected)
        assert (image.format, image.mode) == (other.format, other.mode)
        assert image.getpalette() == other.getpalette()
        assert image.info.get("compression") == other.info.get("compression") or format == "TIFF"


@EACH
@pytest.mark.parametrize("target", [".png", "TIFF", ".tif", ".npy", "bmp", ".webp"])
def test_other_formats_hold_the_same_mask_or_say_that_they_cannot(make, kind: str, format: str, target: str) -> None:
    mask = read_mask(make(COARSE))
    refined = REFINED.astype(np.float32)
    try:
        data = encode_mask(mask, refined, format=target)
    except FileError as error:
        assert mask.kind == "labels"
        assert "NPY" in str(error)  # noqa: PT017 - the other outcome is as good
        return
    again = read_mask(data)
    assert again.format.startswith(target.removeprefix(".").upper())
    np.testing.assert_array_equal(again.probability, refined)
    assert again.kind == mask.kind
    if mask.kind == "labels":
        assert again.foreground == mask.foreground


@EACH
def test_soft(make, kind: str, format: str) -> None:
    mask = read_mask(make(COARSE))
    refined = np.where(REFINED, np.float32(0.7001), np.float32(0.25))
    again = read_mask(encode_mask(mask, refined, soft=True))
    assert (again.kind, again.format) == ("probability", format)
    np.testing.assert_allclose(again.probability, refined, atol=0.5 / 255 + 1e-6)
    image = open_bytes(encode_mask(mask, refined, soft=True, format="PNG"))
    bands = mask.raster.pixels.shape[2] if mask.channels.start else 1  # an alpha channel stays one
    assert (image.format, image.mode) == ("PNG", {1: "L", 2: "LA", 4: "RGBA"}[bands])
    levels = np.asarray(image).reshape(*REFINED.shape, bands)[..., -1]
    np.testing.assert_array_equal(levels, np.where(REFINED, 179, 64))


def test_a_palette_too_short_for_its_ids_does_not_wrap_them() -> None:
    """Pillow alone would write ids above 3 with two bits for a palette of four colours."""
    ids = gray(COARSE, 200)
    voc = encode(palette_image(ids), "PNG")
    mask = read_mask(voc)
    short = Mask(**{**vars(mask), "raster": type(mask.raster)(mask.raster.pixels, "PNG", None, bytes(range(12)))})
    image = open_bytes(encode_mask(short, REFINED.astype(np.float32)))
    np.testing.assert_array_equal(np.asarray(image), gray(REFINED, 200))
    assert bytes(image.getpalette()[:12]) == bytes(range(12))


def test_transparency_of_a_palette_is_kept() -> None:
    data = encode(palette_image(gray(COARSE, 7)), "PNG", transparency=bytes([0, 50, 255]))
    image = open_bytes(encode_mask(read_mask(data), REFINED.astype(np.float32)))
    assert image.mode == "P"
    assert image.info["transparency"] == bytes([0, 50, 255])


def test_a_mask_painted_in_one_colour_goes_on_in_that_colour() -> None:
    painted = np.where(COARSE[..., None], [129, 7, 9, 255], [0, 0, 0, 0]).astype(np.uint8)
    result = pixels_of(encode_mask(read_mask(encode(Image.fromarray(painted), "PNG")), REFINED.astype(np.float32)))
    expected = np.where(REFINED[..., None], [129, 7, 9, 255], [0, 0, 0, 0])
    np.testing.assert_array_equal(result, expected)


def test_jpeg_masks_are_read_and_png_is_written(tmp_path) -> None:
    path = tmp_path / "coarse.jpg"
    path.write_bytes(encode(Image.fromarray(gray(COARSE)), "JPEG", quality=70))
    mask = read_mask(path)
    assert (mask.kind, mask.format, mask.keeps_format, extension(mask)) == ("probability", "PNG", False, ".png")
    np.testing.assert_array_equal(mask.probability > 0.5, COARSE)
    image = open_bytes(encode_mask(mask, REFINED.astype(np.float32)))
    assert (image.format, image.mode) == ("PNG", "L")
    with pytest.raises(FileError, match=r"not written as '\.jpg': use one of \.png"):
        encode_mask(mask, mask.probability, format=".jpg")


@pytest.mark.parametrize(
    ("name", "format", "expected"),
    [
        ("a.PNG", "PNG", ".PNG"),
        ("a.tiff", "TIFF", ".tiff"),
        ("a.tif", "TIFF", ".tif"),
        ("a", "BMP", ".png"),
        ("a.png", "TIFF", ".tif"),
        ("a.gif", "GIF", ".png"),
    ],
)
def test_extension_is_the_masks_own(tmp_path, name: str, format: str, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(encode(Image.fromarray(gray(COARSE)), format))
    assert extension(read_mask(path)) == expected
    assert extension(read_mask(path.read_bytes())) == ".png"


def test_sizes_that_differ() -> None:
    mask = read_mask(npy(COARSE))
    with pytest.raises(ShapeError, match=r"\(3, 4\).*\(12, 17\)"):
        encode_mask(mask, np.zeros((3, 4), np.float32))


def test_ids_beyond_a_formats_range() -> None:
    mask = read_mask(npy(values((0, 70000), "int64")))
    with pytest.raises(FileError, match=r"do not fit \.png files"):
        encode_mask(mask, REFINED.astype(np.float32), format="PNG")


SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20))
ANY_SHAPE = [name for name in FILES if not name.startswith(("RGB", "opaque", "gray and"))]  # no fixed colours inside


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=SHAPES,
    name=st.sampled_from(ANY_SHAPE),
)
def test_any_mask_survives_the_round_trip(data: st.DataObject, shape: tuple[int, int], name: str) -> None:
    """Refined into anything else and written, a mask reads as what it was refined into."""
    assume(name != "big-endian NPY" or shape[0] > 1)  # (1, W, 1) is read as one plane of W rows
    make, kind, _ = FILES[name]
    coarse = data.draw(arrays(bool, shape))
    refined = data.draw(arrays(bool, shape)).astype(np.float32)
    source = make(coarse)
    mask = read_mask(source)
    np.testing.assert_array_equal(mask.probability, coarse)
    assert encode_mask(mask, coarse.astype(np.float32)) == source
    if kind == "labels" and not coarse.any():
        return  # no id to write
    again = read_mask(encode_mask(mask, refined))
    assert again.kind == kind
    np.testing.assert_array_equal(again.probability, refined)


@settings(max_examples=40, deadline=None)
@given(array=arrays(np.uint8, SHAPES), format=st.sampled_from(["PNG", "TIFF", "BMP", "WEBP", "NPY"]))
def test_any_gray_probabilities_survive_the_round_trip(array: np.ndarray, format: str) -> None:
    mask = read_mask(npy(array), labels=False)
    if mask.kind == "probability":
        again = read_mask(encode_mask(mask, mask.probability, soft=True, format=format), labels=False)
        np.testing.assert_array_equal(again.probability, mask.probability)


@pytest.mark.parametrize("quality", [5, 50, 80])
def test_a_lossy_webp_is_gray_though_its_channels_differ_by_rounding(quality):
    data = encode(
        Image.fromarray(np.dstack([np.kron(gray(COARSE), np.ones((9, 9), np.uint8))] * 3)), "WEBP", quality=quality
    )
    assert np.ptp(pixels_of(data), axis=2).max() == 1
    mask = read_mask(data)
    assert encode_mask(mask, mask.probability) == data
    moved = mask.probability > 0.5
    moved[0] = ~moved[0]
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, moved)), np.where(moved, 255, 0)[..., None].repeat(3, 2))


def test_a_little_colour_is_a_colour_picture_all_the_same():
    tinted = np.full((9, 9, 3), 200, np.uint8)
    tinted[4, 4] = (200, 203, 200)
    with pytest.raises(FileError, match="colour picture"):
        read_mask(encode(Image.fromarray(tinted), "WEBP", lossless=True))
