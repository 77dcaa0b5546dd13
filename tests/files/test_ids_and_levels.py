"""What masks of few values, of many, of floats and of minus one mean, as programs write them."""

import cv2
import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError
from spnrefine.files.levels import are_fractions, are_ids, in_words
from spnrefine.files.masks import encode_mask, read_mask
from spnrefine.files.numbers import NO_VOID
from tests.files.making import encode, npy, open_bytes
from tests.files.mask_files import pixels_of

ROWS, COLUMNS = np.mgrid[:60, :80]
DISC = (ROWS - 30) ** 2 + (COLUMNS - 30) ** 2 < 18**2
BAR = (COLUMNS > 46) & (COLUMNS < 64)
GROWN = cv2.dilate(DISC.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0


def png(pixels: np.ndarray) -> bytes:
    return encode(Image.fromarray(pixels), "PNG")


def gray(*areas: tuple[np.ndarray, int], dtype: type = np.uint8) -> np.ndarray:
    pixels = np.zeros(DISC.shape, dtype)
    for area, value in areas:
        pixels[area] = value
    return pixels


def blurred(top: int, sigma: float = 3) -> np.ndarray:
    return np.rint(cv2.GaussianBlur(DISC.astype(np.float64), (0, 0), sigma) * top)


def cells(count: int) -> np.ndarray:
    """So many instances, 8 x 8 pixels each, with background between them."""
    numbers = np.arange(1, count + 1)
    tiles = np.pad(np.ones((8, 8), int), 1)
    return np.kron(np.append(numbers, np.zeros(-count % 8, int)).reshape(-1, 8), tiles).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "held"),
    [
        (gray((DISC, 1), (BAR, 7)), "0, 1 and 7"),
        (gray((DISC, 41), (BAR, 47)), "0, 41 and 47"),
        (gray((GROWN, 255), (DISC, 1)), "0, 1 and 255"),
        (gray((DISC, 1), (BAR, 15), (ROWS < 4, 255)), "0, 1, 15 and 255"),
        (gray((DISC, 1), (~DISC, 2)), "1 and 2"),
        (cells(9), "0, 1, 2, 3, 4, 5, 6, 7, 8 and 9"),
        (cells(40), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... and 40"),
    ],
)
def test_gray_ids_are_not_taken_for_probabilities(pixels: np.ndarray, held: str) -> None:
    with pytest.raises(FileError, match=rf"holds {held} in areas .* give --labels if they are ids, or --no-labels"):
        read_mask(png(pixels))
    objects = len(np.setdiff1d(pixels, [0, 255]))
    mask = read_mask(png(pixels), labels=True)
    assert (mask.labels is None) == (objects == 1)
    assert encode_mask(mask, mask.probability > 0.5 if mask.labels is None else mask.labels) == png(pixels)
    probabilities = read_mask(png(pixels), labels=False)
    np.testing.assert_array_equal(probabilities.probability, pixels / np.float32(255))


@pytest.mark.parametrize(
    "pixels",
    [
        blurred(255).astype(np.uint8),
        (np.rint(blurred(8)) * 30).astype(np.uint8),
        cv2.resize(np.kron(gray((DISC, 255)), np.ones((4, 4), np.uint8)), (100, 75), interpolation=cv2.INTER_AREA),
        gray((GROWN, 128), (DISC, 255)),
        gray((GROWN, 85), (DISC, 170), (ROWS > 50, 255)),
        gray((GROWN, 60), (DISC, 255)),
        gray((DISC, 200), (~DISC, 30)),
        np.kron(np.random.default_rng(0).integers(0, 256, (8, 10)), np.ones((8, 8))).astype(np.uint8),
        gray((DISC, 252), (BAR, 3), (ROWS < 3, 1)),
        np.rint(blurred(20, 6)).astype(np.uint8),
        np.rint(blurred(202, 12)).astype(np.uint8),
    ],
    ids=[
        "soft",
        "few levels",
        "antialiased",
        "trimap",
        "votes",
        "rim",
        "two sides",
        "blocks",
        "compressed",
        "faint",
        "levels without a gap",
    ],
)
def test_probabilities_are_not_taken_for_ids(pixels: np.ndarray) -> None:
    mask = read_mask(png(pixels))
    assert (mask.kind, mask.notes) == ("probability", ())
    np.testing.assert_array_equal(mask.probability, pixels / np.float32(255))


@pytest.mark.parametrize("value", [20, 128, 200])
def test_0_and_one_value_are_two_values_and_that_is_said(value: int) -> None:
    mask = read_mask(png(gray((DISC, value))))
    np.testing.assert_array_equal(mask.probability, DISC)
    assert mask.notes == (f"its values are 0 and {value}: {value} is taken for the object",)
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, ~DISC)), gray((~DISC, value)))


@pytest.mark.parametrize("value", [20, 76, 128])
def test_an_overlay_of_one_opacity_is_two_values_too(value: int) -> None:
    tinted = np.dstack([gray((DISC, 255)), gray(), gray(), gray((DISC, value))])
    mask = read_mask(png(tinted))
    np.testing.assert_array_equal(mask.probability, DISC)
    assert mask.notes == (f"its values are 0 and {value}: {value} is taken for the object",)
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, ~DISC))[..., 3], gray((~DISC, value)))


def test_opaque_colours_are_classes_without_names_or_a_full_cut_out() -> None:
    coded = np.dstack([gray((DISC, 200)), gray((BAR, 200)), gray(), np.full(DISC.shape, 255, np.uint8)])
    with pytest.raises(FileError, match="is a colour picture, not a mask"):
        read_mask(png(coded))
    coded[..., :3] = np.random.default_rng(0).integers(0, 256, (*DISC.shape, 3))
    assert read_mask(png(coded)).probability.min() == 1


def test_compression_leaves_no_ids_and_two_values_come_back() -> None:
    data = encode(Image.fromarray(gray((DISC, 255))), "JPEG", quality=95)
    assert len(np.unique(np.asarray(open_bytes(data)))) > 2
    mask = read_mask(data)
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, mask.probability)), gray((DISC, 255)))


def test_16_bits_of_many_levels_are_probabilities() -> None:
    levels = blurred(65535, 8).astype(np.uint16)
    for data in (png(levels), npy(levels)):
        mask = read_mask(data)
        assert mask.kind == "probability"
        assert "16 bits are taken for probabilities" in mask.notes[0]
        np.testing.assert_allclose(mask.probability, levels / 65535, atol=1e-7)
        assert encode_mask(mask, mask.probability) == data
        np.testing.assert_array_equal(pixels_of(encode_mask(mask, mask.probability, soft=True)), levels)
        hard = pixels_of(encode_mask(mask, ~DISC))
        assert (hard.dtype, set(np.unique(hard))) == (np.uint16, {0, 65535})
        assert len(np.unique(read_mask(data, labels=True).labels)) > 256


def test_many_levels_below_the_middle_are_refused() -> None:
    for levels in (blurred(4095, 8).astype(np.uint16), blurred(10**6, 8).astype(np.int32)):
        with pytest.raises(FileError, match="hardly two neighbours of them alike: give --labels"):
            read_mask(npy(levels))


def test_a_map_of_many_ids_has_areas() -> None:
    ids = np.kron(np.arange(1, 1001).reshape(25, 40), np.ones((4, 4))).astype(np.uint16)
    assert not are_fractions(ids)
    assert len(np.unique(read_mask(npy(ids)).labels)) == 1000
    assert not are_fractions(gray((DISC, 65535), dtype=np.uint16))


def test_255_is_void_in_8_bits_alone_and_none_names_none() -> None:
    for ids in (gray((DISC, 3), (BAR, 255), dtype=np.uint16), gray((DISC, 300), (BAR, 255), dtype=np.int64)):
        mask = read_mask(npy(ids))
        assert mask.void is None
        np.testing.assert_array_equal(mask.labels, ids)
        assert bool(mask.notes) == (ids.max() == 255)
        np.testing.assert_array_equal(read_mask(npy(ids), void=255).void, BAR)
    narrow = npy(gray((DISC, 3), (BAR, 255)))
    np.testing.assert_array_equal(read_mask(narrow, labels=True).void, BAR)
    assert read_mask(narrow, labels=True, void=NO_VOID).void is None
    assert read_mask(npy(np.stack([DISC, BAR])), void=NO_VOID).stack is not None


@pytest.mark.parametrize("dtype", [np.int32, np.int8, np.float32, np.float64])
def test_minus_one_is_the_background_where_ids_start_at_0(dtype: type) -> None:
    ids = (gray((DISC, 1), (BAR, 2), dtype=np.int8) - 1).astype(dtype)
    mask = read_mask(npy(ids))
    np.testing.assert_array_equal(mask.labels, ids + 1)
    assert "--void -1" in mask.notes[0]
    moved = np.roll(mask.labels, 1, 1)
    written = pixels_of(encode_mask(mask, moved))
    assert written.dtype == dtype
    np.testing.assert_array_equal(written, np.roll(ids, 1, 1))
    one = read_mask(npy(np.where(DISC, 0, -1).astype(dtype)))
    np.testing.assert_array_equal(one.probability, DISC)
    np.testing.assert_array_equal(pixels_of(encode_mask(one, ~DISC)), np.where(DISC, -1, 0))
    assert not read_mask(npy(np.full((3, 3), -1, dtype))).probability.any()


def test_whole_numbers_in_floats_are_ids_when_that_is_said() -> None:
    ids = gray((DISC, 1), (BAR, 2), dtype=np.float32)
    data = encode(Image.fromarray(ids), "TIFF")
    with pytest.raises(FileError, match=r"whole numbers 0, 1 and 2 as floats, .*: give --labels if they are ids"):
        read_mask(data)
    mask = read_mask(data, labels=True)
    np.testing.assert_array_equal(mask.labels, ids)
    assert encode_mask(mask, mask.labels) == data
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, np.roll(mask.labels, 1, 0))), np.roll(ids, 1, 0))


@pytest.mark.parametrize("planes", [1, 2])
def test_floats_that_rounding_carried_past_1_are_clipped(planes: int) -> None:
    for dtype, past in ((np.float32, 1.0000001), (np.float16, 1.001), (np.float64, 1 + 1e-12)):
        values = np.where(DISC, dtype(past), dtype(-1e-7)).astype(dtype)
        mask = read_mask(npy(values if planes == 1 else np.stack([values, values[::-1]])))
        assert (mask.probability.min(), mask.probability.max()) == (0, 1)
        assert mask.kind == "binary"


def test_a_palette_of_black_and_white_means_its_colours() -> None:
    picture = Image.fromarray(gray((~DISC, 1)))
    picture.putpalette([255, 255, 255, 0, 0, 0])
    mask = read_mask(encode(picture, "PNG"))
    np.testing.assert_array_equal(mask.probability, DISC)
    written = open_bytes(encode_mask(mask, ~DISC))
    assert written.mode == "P"
    np.testing.assert_array_equal(np.asarray(written.convert("L")), gray((~DISC, 255)))
    np.testing.assert_array_equal(read_mask(encode(picture, "PNG"), labels=True).probability, ~DISC)


def test_words_of_values() -> None:
    assert (in_words({7}), in_words({7, 0}), in_words({3, 1, 2})) == ("7", "0 and 7", "1, 2 and 3")


def test_a_few_pixels_tell_nothing() -> None:
    assert not are_ids(np.array([[0, 1, 7]], np.uint8), {0, 1, 7})
