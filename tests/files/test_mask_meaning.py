"""What the numbers in a mask file mean, and which files are no masks."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spnrefine.errors import FileError, MissingExtraError
from spnrefine.files.masks import encode_mask, read_mask
from spnrefine.refiner.presence import is_empty, is_full
from tests.files.making import SHAPE, encode, npy, palette_image
from tests.files.mask_files import COARSE, EACH, FILES, HALF, REFINED, RGB, gray, pixels_of


@EACH
def test_meaning(make, kind: str, format: str) -> None:
    mask = read_mask(make(COARSE))
    assert (mask.kind, mask.format, mask.keeps_format, mask.void) == (kind, format, True, None)
    assert mask.probability.dtype == np.float32
    assert mask.shape == SHAPE
    np.testing.assert_array_equal(mask.probability, COARSE)


def test_gray_values_are_probabilities() -> None:
    data = encode(Image.fromarray(HALF), "PNG")
    mask = read_mask(data)
    assert mask.kind == "probability"
    np.testing.assert_array_equal(mask.probability, HALF.astype(np.float32) / np.float32(255))
    assert encode_mask(mask, mask.probability) == data
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, REFINED.astype(np.float32))), gray(REFINED))
    moved = np.where(COARSE, np.float32(0.6), np.float32(0.4))
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, moved, threshold=0.7)), 0)


def test_floats_are_probabilities_as_they_are() -> None:
    array = np.where(COARSE, 0.75, 0.125)
    for data in (npy(array), encode(Image.fromarray(array.astype(np.float32)), "TIFF")):
        mask = read_mask(data)
        assert mask.kind == "probability"
        np.testing.assert_array_equal(mask.probability, array)
        assert encode_mask(mask, mask.probability, soft=True) == data
        hard = pixels_of(encode_mask(mask, REFINED.astype(np.float32)))
        assert hard.dtype.kind == "f"
        np.testing.assert_array_equal(hard, REFINED)
        soft = pixels_of(encode_mask(mask, REFINED * np.float32(0.3), soft=True))
        np.testing.assert_array_equal(soft.astype(np.float32), REFINED * np.float32(0.3))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.01, 1.5, 255.0])
def test_floats_outside_the_unit_interval(bad: float) -> None:
    array = np.zeros((3, 3))
    array[1, 1] = bad
    with pytest.raises(FileError, match=r"outside 0\.\.1"):
        read_mask(npy(array))


def test_void_is_255_where_there_are_ids_and_comes_back_untouched() -> None:
    ids = gray(COARSE, 7)
    ids[:, 10:14] = 255
    for data, void in ((encode(palette_image(ids), "PNG"), None), (npy(ids.astype(np.uint16)), 255)):
        mask = read_mask(data, void=void)
        assert (mask.kind, mask.foreground) == ("labels", 7)
        np.testing.assert_array_equal(mask.void, ids == 255)
        assert not mask.probability[mask.void].any()
        result = pixels_of(encode_mask(mask, REFINED.astype(np.float32)))
        np.testing.assert_array_equal(result, np.where(ids == 255, 255, gray(REFINED, 7)))
        soft = pixels_of(encode_mask(mask, np.ones(SHAPE, np.float32), soft=True))
        np.testing.assert_array_equal(soft, np.where(ids == 255, 0, 255))


def test_void_by_choice() -> None:
    ids = gray(COARSE)
    ids[0] = 128
    mask = read_mask(encode(Image.fromarray(ids), "PNG"), void=128)
    assert mask.kind == "binary"
    assert not mask.probability[0].any()
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, REFINED.astype(np.float32)))[0], 128)
    assert read_mask(npy(np.where(COARSE, 3, -1)), void=-1).foreground == 3
    floats = read_mask(npy(np.where(COARSE, 1.0, -1.0)), void=-1)
    np.testing.assert_array_equal(floats.void, ~COARSE)
    assert not floats.probability[~COARSE].any()
    palette = encode(palette_image(np.where(COARSE, 255, 0)), "PNG")
    assert is_empty(read_mask(palette).probability)
    assert read_mask(palette, void=1).foreground == 255


@pytest.mark.parametrize(
    "data",
    [
        encode(Image.fromarray(gray(COARSE)).convert("P"), "PNG"),
        encode(Image.fromarray(gray(COARSE).astype(np.uint16)), "PNG"),
        npy(gray(COARSE).astype(np.int64)),
    ],
    ids=["gray palette", "16 bits", "NPY"],
)
def test_0_and_255_are_two_values_wherever_no_colour_says_otherwise(data: bytes) -> None:
    mask = read_mask(data)
    np.testing.assert_array_equal(mask.probability, COARSE)
    assert mask.foreground == 255
    result = pixels_of(encode_mask(mask, REFINED.astype(np.float32)))
    np.testing.assert_array_equal(result, gray(REFINED))


def test_labels_takes_gray_for_ids() -> None:
    data = encode(Image.fromarray(gray(COARSE, 5)), "PNG")
    mask = read_mask(data, labels=True)
    assert (mask.kind, mask.foreground) == ("labels", 5)
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, REFINED.astype(np.float32))), gray(REFINED, 5))
    with pytest.raises(FileError, match="not whole: read it without --labels"):
        read_mask(npy(np.full((2, 2), 0.5)), labels=True)
    with pytest.raises(FileError, match=r"numbers up to 1e\+30: give ids up to 9007199254740992"):
        read_mask(npy(np.array([[0, 1e30]])), labels=True)


@pytest.mark.parametrize("make", [palette_image, lambda ids: Image.fromarray(ids.astype(np.uint16) * 7)])
def test_several_ids_are_a_label_map(make) -> None:
    ids = gray(COARSE, 5)
    ids[0, :4] = [1, 2, 3, 4]
    data = encode(make(ids), "PNG")
    values = pixels_of(data)
    mask = read_mask(data)
    assert mask.kind == "labels"
    np.testing.assert_array_equal(mask.labels, values)
    np.testing.assert_array_equal(mask.probability, values != 0)
    assert encode_mask(mask, mask.labels) == data
    moved = mask.labels.copy()
    moved[-1, :2] = values[0, 1]
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, moved)), moved)
    with pytest.raises(FileError, match="leave out --soft"):
        encode_mask(mask, mask.labels, soft=True)


def test_void_among_several_ids_stays() -> None:
    ids = gray(COARSE, 5)
    ids[0, :3] = [1, 2, 255]
    mask = read_mask(encode(palette_image(ids), "PNG"))
    assert mask.void.sum() == 1
    written = pixels_of(encode_mask(mask, np.zeros(SHAPE, np.uint8)))
    assert written[0, 2] == 255
    assert (written > 0).sum() == 1


def test_negative_ids_are_refused() -> None:
    with pytest.raises(FileError, match="negative id -2"):
        read_mask(npy(np.where(COARSE, 1, -2)))


def test_empty_and_full() -> None:
    zero = np.zeros(SHAPE, np.float32)
    for value, empty, full in [(0, True, False), (0.1, True, False), (0.2, False, False), (0.6, False, True)]:
        mask = read_mask(npy(zero + np.float32(value)))
        assert (is_empty(mask.probability), is_full(mask.probability)) == (empty, full)
    assert not is_empty(read_mask(npy(COARSE)).probability)
    assert not is_full(read_mask(npy(COARSE)).probability)
    ids = np.full(SHAPE, 4, np.uint8)
    ids[0] = 255
    mask = read_mask(encode(palette_image(ids), "PNG"))
    assert is_full(mask.probability, mask.void)
    assert not is_full(mask.probability)
    all_void = read_mask(encode(palette_image(np.full(SHAPE, 255)), "PNG"))
    assert is_empty(all_void.probability)
    assert not is_full(all_void.probability, all_void.void)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encode(Image.fromarray(RGB), "PNG"), "is a colour picture, not a mask"),
        (encode(Image.new("CMYK", (3, 3)), "TIFF"), "colours of the kind SEPARATED"),
        (
            encode(Image.fromarray(COARSE), "PNG", save_all=True, append_images=[Image.fromarray(~COARSE)]),
            "several frames",
        ),
        (npy(np.zeros((2, 3, 4, 5))), r"float64 of shape \(2, 3, 4, 5\)"),
        (npy(np.zeros((0, 5))), r"shape \(0, 5\)"),
        (npy(np.zeros((2, 2), complex)), "complex128"),
        (npy(np.array([["a"]])), "str32"),
        (npy(COARSE)[:-1], "no whole NumPy array"),
        (npy(COARSE)[:20], "no whole NumPy array"),
        (b"", "is empty"),
        (b"PK\x03\x04 not a picture", "no whole NumPy array"),
        (b"neither", "not a whole picture"),
    ],
)
def test_files_that_are_no_masks(data: bytes, message: str) -> None:
    with pytest.raises(FileError, match=f"standard input.*{message}"):
        read_mask(data)


def test_pickles_are_never_loaded() -> None:
    with pytest.raises(FileError, match="holds pickled objects"):
        read_mask(npy(np.array([[{}]], dtype=object)))
    with pytest.raises(FileError, match="holds pickled objects"):  # in fewer bytes than an array of the header's has
        read_mask(npy(np.zeros((30, 40), object)))


@pytest.mark.parametrize("name", ["gray PNG", "palette PNG", "16-bit PNG", "gray BMP", "WebP", "64-bit NPY"])
def test_every_beginning_of_a_mask_is_an_error(name: str) -> None:
    data = FILES[name][0](COARSE)
    spare = {"BMP": 3}.get(FILES[name][2], 0)  # padding behind the last line
    for end in range(len(data) - spare):
        with pytest.raises(FileError):
            read_mask(data[:end])


STARTS = [b"", b"\x93NUMPY\x01\0", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"GIF89a"]


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(STARTS),
)
def test_noise_is_a_file_error(noise: bytes, start: bytes) -> None:
    with pytest.raises((FileError, MissingExtraError)):  # two bytes are enough to begin a JPEG XL
        read_mask(start + noise)


@pytest.mark.parametrize(("depth", "step"), [(2, 85), (4, 17)])
def test_png_of_few_bits_is_spread_and_says_so(depth: int, step: int) -> None:
    stored = np.tile(np.arange(4, dtype=np.uint8), (2, 2))
    rows = (stored.reshape(2, -1, 8 // depth) << np.arange(8 - depth, -1, -depth, dtype=np.uint8)).sum(2, np.uint8)
    header = struct.pack(">IIBBBBB", 8, 2, depth, 0, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))),
        (b"IEND", b""),
    )
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    mask = read_mask(png, labels=True, void="none")
    np.testing.assert_array_equal(mask.labels, step * stored)
    assert mask.raster.notes == (
        f"its gray of {depth} bits is read as multiples of {step} up to 255, and so are ids in it",
    )
