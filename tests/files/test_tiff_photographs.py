"""Photographs in TIFF, and those of more than 8 bits in any format, are seen as they look."""

import io
import warnings

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files.images import Photographs, read_image, read_photograph
from tests.files import tiff_files as tiff
from tests.files.making import SHAPE, encode

RGB = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
RGB[0, 0], RGB[0, 1] = 0, 255
GRAY = RGB[..., 0]


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_planar_16_bit_colours(byteorder: str, compression: str | None) -> None:
    planes = np.moveaxis(RGB, 2, 0).astype(np.uint16) * 257
    data = tiff.write(planes, photometric="rgb", byteorder=byteorder, compression=compression)
    np.testing.assert_array_equal(read_image(data), RGB)
    np.testing.assert_array_equal(read_image(tiff.write(RGB.astype(np.uint16) * 257, photometric="rgb")), RGB)


def test_orthophoto_with_a_mask_of_what_is_covered() -> None:
    """JPEG in YCbCr, then a 1-bit page that Pillow does not know, as GDAL writes it."""
    smooth = np.dstack([np.add.outer(np.arange(48), np.arange(64))] * 3).astype(np.uint8)
    jpeg = encode(Image.fromarray(smooth), "TIFF", compression="jpeg", quality=95)
    mask = tiff.pages((np.ones((48, 64), bool), {"subfiletype": 4, "photometric": "mask"}))
    start = int.from_bytes(mask[4:8], "little")
    with tifffile.TiffFile(io.BytesIO(jpeg)) as file:
        link = file.pages[0].offset + 2 + 12 * len(file.pages[0].tags)
    moved = bytearray(mask)
    with tifffile.TiffFile(io.BytesIO(mask)) as file:
        for tag in file.pages[0].tags:
            if tag.code == 273 or tag.valuebytecount > 4:
                place = tag.valueoffset if tag.code == 273 else tag.offset + 8
                value = int.from_bytes(mask[place : place + 4], "little") + len(jpeg)
                moved[place : place + 4] = value.to_bytes(4, "little")
    both = bytearray(jpeg + bytes(moved))
    both[link : link + 4] = (len(jpeg) + start).to_bytes(4, "little")
    assert len(tifffile.TiffFile(io.BytesIO(bytes(both))).pages) == 2
    seen = read_image(bytes(both))
    assert np.abs(seen.astype(int) - smooth).max() < 8
    assert len(Photographs(bytes(both))) == 1


def test_12_bits_in_16_are_spread_and_that_is_said() -> None:
    dark = GRAY.astype(np.uint16) * 16
    for data in (tiff.write(dark), encode(Image.fromarray(dark), "PNG"), tiff.write(dark.astype(np.int16))):
        photograph = read_photograph(data)
        assert np.abs(photograph.pixels[..., 0].astype(int) - GRAY).max() <= 1
        assert photograph.notes == ("the photograph's numbers from 0 to 4077 were spread over 8 bits",)


def test_colours_of_16_bits_are_spread_alike() -> None:
    dark = RGB.astype(np.uint16) * 16
    png = cv2.imencode(".png", np.ascontiguousarray(dark[..., ::-1]))[1].tobytes()
    for data in (tiff.write(dark, photometric="rgb"), png):
        photograph = read_photograph(data)
        assert np.abs(photograph.pixels.astype(int) - RGB).max() <= 1
        assert "spread" in photograph.notes[0]
    np.testing.assert_array_equal(
        read_image(cv2.imencode(".png", RGB[..., ::-1].astype(np.uint16) * 257)[1].tobytes()), RGB
    )


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "int16", "int32", "float16", "float32", "float64"])
def test_numbers_of_any_type(dtype: str) -> None:
    image = read_image(tiff.write((GRAY * 4.0 + 100).astype(dtype), compression="deflate"))
    assert np.abs(image[..., 0].astype(int) - GRAY).max() <= 1


def test_floats_from_0_to_1_keep_their_places() -> None:
    photograph = read_photograph(tiff.write(GRAY.astype(np.float32) / 255))
    np.testing.assert_array_equal(photograph.pixels[..., 0], GRAY)
    assert not photograph.notes


def test_what_is_no_number_and_nodata_do_not_count() -> None:
    values = GRAY.astype(np.float32) * 10
    values[3, 3], values[3, 4] = np.nan, -9999
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = read_image(tiff.write(values, extratags=[(42113, 2, 6, "-9999", True)]))
    values[3, 3:5] = 0
    assert np.abs(image[..., 0].astype(int) - values / 10).max() <= 1


def test_a_constant_picture_is_black() -> None:
    assert not read_image(tiff.write(np.full(SHAPE, 7, np.int32))).any()


def test_white_is_zero() -> None:
    for top, dtype in ((255, np.uint8), (65535, np.uint16)):
        inverted = (top - GRAY.astype(np.uint32) * (top // 255)).astype(dtype)
        np.testing.assert_array_equal(read_image(tiff.write(inverted, photometric="miniswhite"))[..., 0], GRAY)


def test_bands() -> None:
    bands = np.random.default_rng(1).integers(0, 3000, (*SHAPE, 5)).astype(np.uint16)
    data = tiff.write(bands, photometric="minisblack", planarconfig="contig")
    plain = read_photograph(data)
    assert plain.notes[0] == "of the photograph's 5 bands, the first three are seen as red, green and blue"
    chosen = read_photograph(data, (4, 3, 2))
    np.testing.assert_array_equal(chosen.pixels[..., 1:], plain.pixels[..., [2, 1]])
    assert not np.array_equal(chosen.pixels[..., 0], plain.pixels[..., 0])
    one = read_photograph(data, (2,)).pixels
    np.testing.assert_array_equal(one, plain.pixels[..., [1, 1, 1]])
    infrared = tiff.write(np.dstack([RGB, GRAY]), photometric="rgb", extrasamples=["unspecified"])
    np.testing.assert_array_equal(read_image(infrared), RGB)
    np.testing.assert_array_equal(
        read_photograph(infrared, (4, 3, 2)).pixels, np.dstack([GRAY, RGB[..., 2], RGB[..., 1]])
    )
    with pytest.raises(FileError, match="has 5 bands: expected numbers up to that, not --bands 4,3,6"):
        read_photograph(data, (4, 3, 6))
    with pytest.raises(FileError, match="is no TIFF, whose bands --bands chooses"):
        read_photograph(encode(Image.fromarray(RGB), "PNG"), (3, 2, 1))


def test_channels_of_imagej_and_ome_are_colours_not_pages() -> None:
    stack = np.stack([np.roll(RGB, n, axis=0) for n in range(4)]).transpose(0, 3, 1, 2)
    for how in ({"imagej": True}, {"ome": True}):
        data = tiff.write(stack, metadata={"axes": "ZCYX"}, photometric="minisblack", **how)
        photographs = Photographs(data)
        assert len(photographs) == 4
        for number, photograph in enumerate(photographs):
            np.testing.assert_array_equal(photograph.pixels, np.roll(RGB, number, axis=0))
    two = tiff.write(stack[0, :2], metadata={"axes": "CYX"}, photometric="minisblack", imagej=True)
    np.testing.assert_array_equal(read_image(two), RGB * np.array([1, 1, 0], np.uint8))


def test_pages_are_photographs() -> None:
    data = tiff.write(np.stack([GRAY, GRAY.T.reshape(SHAPE)]), photometric="minisblack")
    photographs = Photographs(data)
    assert len(photographs) == 2
    np.testing.assert_array_equal(photographs[1].pixels[..., 0], GRAY.T.reshape(SHAPE))


def test_a_palette_of_16_bits() -> None:
    colours = np.random.default_rng(2).integers(0, 65536, (3, 256)).astype(np.uint16)
    image = read_image(tiff.write(GRAY, photometric="palette", colormap=colours))
    np.testing.assert_array_equal(image, (colours >> 8).T[GRAY])


def test_lab_of_16_bits_and_raw_pictures_are_named() -> None:
    lab = tiff.write(RGB.astype(np.uint16), photometric="cielab")
    with pytest.raises(FileError, match=r"colours of the kind CIELAB .*: export it as RGB"):
        read_image(lab)
    raw = tiff.write(GRAY, photometric="cfa")
    with pytest.raises(FileError, match="is a camera's raw picture: develop it"):
        read_image(raw)
