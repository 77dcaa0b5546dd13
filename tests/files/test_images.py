"""Photographs of every kind come out as upright RGB."""

import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from spnrefine.errors import FileError
from spnrefine.files import limits
from spnrefine.files.images import read_image, read_photograph
from tests.files.making import SHAPE, encode, open_bytes, with_orientation

RGB = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
PNG = encode(Image.fromarray(RGB), "PNG")


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "WEBP"])
def test_lossless_formats(format: str, tmp_path) -> None:
    data = encode(Image.fromarray(RGB), format, **({"lossless": True} if format == "WEBP" else {}))
    path = tmp_path / "photo"
    path.write_bytes(data)
    for source in (data, path):
        image = read_image(source)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert image.flags.writeable
        np.testing.assert_array_equal(image, RGB)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(format: str, orientation: int) -> None:
    smooth = np.add.outer(np.arange(48), 2 * np.arange(32)).astype(np.uint8)  # JPEG keeps a ramp nearly as it is
    picture = Image.fromarray(np.stack([smooth, smooth[::-1], smooth[:, ::-1]], axis=2))
    settings = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    data = encode(picture, format, exif=with_orientation(orientation), **settings)
    expected = np.asarray(
        ImageOps.exif_transpose(open_bytes(encode(picture, "PNG", exif=with_orientation(orientation))))
    )
    photograph = read_photograph(data)
    assert photograph.orientation == orientation
    assert photograph.pixels.shape == ((32, 48, 3) if orientation > 4 else (48, 32, 3))
    error = np.abs(photograph.pixels.astype(int) - expected)
    assert error.mean() < (3 if format == "JPEG" else 1e-9)


def test_orientation_6_by_hand() -> None:
    """Orientation 6 asks for a quarter turn clockwise, which brings the lower left corner to the top."""
    stored = np.zeros((2, 3, 3), np.uint8)
    stored[1, 0] = 255
    upright = read_image(encode(Image.fromarray(stored), "PNG", exif=with_orientation(6)))
    assert upright.shape == (3, 2, 3)
    assert upright[0, 0].tolist() == [255, 255, 255]
    assert int(upright.sum()) == 3 * 255


def test_orientation_said_after_the_pixels() -> None:
    data = encode(Image.fromarray(RGB), "PNG", exif=with_orientation(6))
    start = data.index(b"eXIf") - 4
    chunk = data[start : start + 12 + int.from_bytes(data[start : start + 4], "big")]
    data = data.replace(chunk, b"")
    photograph = read_photograph(data[:-12] + chunk + data[-12:])
    assert photograph.orientation == 6
    np.testing.assert_array_equal(photograph.pixels, np.rot90(RGB, -1))


def test_what_the_reader_warns_of_stays_inside() -> None:
    no_frames = b"\0\0\0\x08acTL" + bytes(8)
    data = PNG[:33] + no_frames + zlib.crc32(no_frames[4:]).to_bytes(4, "big") + PNG[33:]
    with pytest.warns(UserWarning, match="Invalid APNG"):
        open_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(read_image(data), RGB)
    assert not caught


def test_gray_palette_and_alpha() -> None:
    gray = RGB[..., 0]
    np.testing.assert_array_equal(read_image(encode(Image.fromarray(gray), "PNG")), np.dstack([gray] * 3))
    alpha = np.full(SHAPE, 0, np.uint8)
    rgba = Image.fromarray(np.dstack([RGB, alpha]))
    np.testing.assert_array_equal(read_image(encode(rgba, "PNG")), RGB)
    la = Image.fromarray(np.dstack([gray, alpha]))
    np.testing.assert_array_equal(read_image(encode(la, "PNG")), np.dstack([gray] * 3))
    palette = Image.fromarray(RGB).quantize(16)
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(read_image(encode(palette, "PNG")), expected)
    np.testing.assert_array_equal(read_image(encode(palette, "PNG", transparency=bytes(range(16)))), expected)
    one_bit = Image.fromarray(gray > 99)
    np.testing.assert_array_equal(read_image(encode(one_bit, "PNG")), np.dstack([(gray > 99) * np.uint8(255)] * 3))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_gray_is_scaled_by_its_own_depth(format: str) -> None:
    gray = np.array([[0, 128, 129, 257, 32767, 65535]], np.uint16)
    image = read_image(encode(Image.fromarray(gray), format))
    assert image[0, :, 0].tolist() == [0, 0, 1, 1, 127, 255]
    assert (image == image[..., :1]).all()


def test_cmyk_jpeg() -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    image = read_image(encode(cmyk, "JPEG", quality=95))
    assert np.abs(image.astype(int) - [255, 0, 0]).max() < 12
    np.testing.assert_array_equal(read_image(encode(cmyk, "TIFF")), np.broadcast_to([255, 0, 0], (16, 16, 3)))


def test_lab_is_converted() -> None:
    lab = Image.new("LAB", (4, 4), (255, 128, 128))
    assert read_image(encode(lab, "TIFF")).min() > 250


def test_colour_profile_is_left_alone() -> None:
    data = encode(Image.fromarray(RGB), "PNG", icc_profile=b"no profile at all")
    np.testing.assert_array_equal(read_image(data), RGB)


def test_first_of_several_frames() -> None:
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    for format in ("TIFF", "PNG"):
        data = encode(frames[0], format, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(read_image(data), RGB)


def test_one_pixel() -> None:
    assert read_image(encode(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG")).tolist() == [[[1, 2, 3]]]


def test_large_photographs_are_welcome_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = read_image(encode(Image.new("L", (10000, 9000)), "PNG", compress_level=1))  # 90 megapixels
    assert image.shape == (9000, 10000, 3)
    assert limit == Image.MAX_IMAGE_PIXELS
    monkeypatch.setenv(limits.VARIABLE, "1")
    with pytest.raises(FileError, match=r"has 1001 x 1000 pixels, and at most 1 million are read: .*--max-megapixels"):
        read_image(encode(Image.new("L", (1001, 1000)), "PNG"))


def test_threads_leave_pillow_as_it_was() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(read_image(PNG))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert limit == Image.MAX_IMAGE_PIXELS
