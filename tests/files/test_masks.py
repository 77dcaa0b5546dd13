"""What mask files mean, and refined masks that come back in their clothes."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from spnrefine.errors import FileError, ShapeError
from spnrefine.files.images import Photograph
from spnrefine.files.masks import Mask, align, encode_mask, extension, read_mask, resize
from spnrefine.files.orientation import turn
from tests.files.making import SHAPE, encode, inside, npy, open_bytes, palette_image

COARSE, REFINED = inside(), inside(1)
HALF = np.where(COARSE, 200, 30).astype(np.uint8)
RGB = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)


def values(two: tuple[float, float], dtype: str, where: np.ndarray = COARSE) -> np.ndarray:
    return np.where(where, two[1], two[0]).astype(dtype)


def gray(where: np.ndarray, top: int = 255) -> np.ndarray:
    return values((0, top), "uint8", where)


# name: (make the file of a mask from where the object is, kind, format)
FILES = {
    "1-bit PNG": (lambda at: encode(Image.fromarray(at), "PNG"), "binary", "PNG"),
    "1-bit TIFF": (lambda at: encode(Image.fromarray(at), "TIFF", compression="group4"), "binary", "TIFF"),
    "1-bit BMP": (lambda at: encode(Image.fromarray(at), "BMP"), "binary", "BMP"),
    "gray PNG": (lambda at: encode(Image.fromarray(gray(at)), "PNG"), "binary", "PNG"),
    "gray PNG of 0 and 1": (lambda at: encode(Image.fromarray(gray(at, 1)), "PNG"), "binary", "PNG"),
    "gray TIFF": (lambda at: encode(Image.fromarray(gray(at)), "TIFF", compression="tiff_lzw"), "binary", "TIFF"),
    "gray BMP": (lambda at: encode(Image.fromarray(gray(at)), "BMP"), "binary", "BMP"),
    "WebP": (lambda at: encode(Image.fromarray(gray(at)), "WEBP", lossless=True), "binary", "WEBP"),
    "RGB PNG": (lambda at: encode(Image.fromarray(np.dstack([gray(at)] * 3)), "PNG"), "binary", "PNG"),
    "RGBA PNG": (lambda at: encode(Image.fromarray(np.dstack([RGB, gray(at)])), "PNG"), "binary", "PNG"),
    "RGBA TIFF": (lambda at: encode(Image.fromarray(np.dstack([RGB, gray(at)])), "TIFF"), "binary", "TIFF"),
    "RGBA WebP": (
        lambda at: encode(Image.fromarray(np.dstack([RGB, gray(at)])), "WEBP", lossless=True, exact=True),
        "binary",
        "WEBP",
    ),
    "opaque RGBA PNG": (
        lambda at: encode(Image.fromarray(np.dstack([gray(at)] * 3 + [gray(at | True)])), "PNG"),
        "binary",
        "PNG",
    ),
    "gray and alpha PNG": (
        lambda at: encode(Image.fromarray(np.dstack([RGB[..., 0], gray(at)])), "PNG"),
        "binary",
        "PNG",
    ),
    "palette PNG": (lambda at: encode(palette_image(gray(at, 7)), "PNG"), "labels", "PNG"),
    "palette PNG of 4 colours": (lambda at: encode(palette_image(gray(at, 3), 4), "PNG"), "labels", "PNG"),
    "palette TIFF": (lambda at: encode(palette_image(gray(at, 7)), "TIFF"), "labels", "TIFF"),
    "palette BMP": (lambda at: encode(palette_image(gray(at, 7)), "BMP"), "labels", "BMP"),
    "16-bit PNG": (lambda at: encode(Image.fromarray(values((0, 26001), "uint16", at)), "PNG"), "labels", "PNG"),
    "16-bit TIFF": (lambda at: encode(Image.fromarray(values((0, 300), "uint16", at)), "TIFF"), "labels", "TIFF"),
    "32-bit TIFF": (lambda at: encode(Image.fromarray(values((0, 70000), "int32", at)), "TIFF"), "labels", "TIFF"),
    "float TIFF": (lambda at: encode(Image.fromarray(at.astype(np.float32)), "TIFF"), "binary", "TIFF"),
    "bool NPY": (lambda at: npy(at), "binary", "NPY"),
    "8-bit NPY": (lambda at: npy(gray(at)), "binary", "NPY"),
    "16-bit NPY": (lambda at: npy(values((0, 9), "uint16", at)), "labels", "NPY"),
    "64-bit NPY": (lambda at: npy(values((0, 2**40), "int64", at)), "labels", "NPY"),
    "half NPY": (lambda at: npy(at.astype(np.float16)), "binary", "NPY"),
    "double NPY, one channel": (lambda at: npy(at.astype(np.float64)[None]), "binary", "NPY"),
    "big-endian NPY": (lambda at: npy(at.astype(">f4")[..., None]), "binary", "NPY"),
}
EACH = pytest.mark.parametrize(("make", "kind", "format"), FILES.values(), ids=FILES.keys())


def pixels_of(data: bytes) -> np.ndarray:
    if data.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(data))
    return np.asarray(open_bytes(data))


@EACH
def test_meaning(make, kind: str, format: str) -> None:
    mask = read_mask(make(COARSE))
    assert (mask.kind, mask.format, mask.keeps_format, mask.void) == (kind, format, True, None)
    assert mask.probability.dtype == np.float32
    assert mask.shape == SHAPE
    np.testing.assert_array_equal(mask.probability, COARSE)


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
    assert result.dtype == model.dtype.newbyteorder("=")
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
    assert (image.format, image.mode) == ("PNG", "L")
    np.testing.assert_array_equal(np.asarray(image), np.where(REFINED, 179, 64))


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
    for data in (encode(palette_image(ids), "PNG"), encode(Image.fromarray(ids.astype(np.uint16)), "PNG")):
        mask = read_mask(data)
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
    assert read_mask(palette).is_empty
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
    assert read_mask(data).is_empty
    mask = read_mask(data, labels=True)
    assert (mask.kind, mask.foreground) == ("labels", 5)
    np.testing.assert_array_equal(pixels_of(encode_mask(mask, REFINED.astype(np.float32))), gray(REFINED, 5))
    with pytest.raises(FileError, match="not ids"):
        read_mask(npy(np.zeros((2, 2))), labels=True)


def test_several_ids_are_refused_by_name() -> None:
    ids = gray(COARSE, 5)
    ids[0, :3] = [1, 2, 255]
    with pytest.raises(FileError, match=r"holds 3 ids besides the background \(1, 2, 5\).*give a mask for each class"):
        read_mask(encode(palette_image(ids), "PNG"))
    with pytest.raises(FileError, match="negative id -1"):
        read_mask(npy(np.where(COARSE, 1, -1)))


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
    with pytest.raises(FileError, match=r"not written as '\.jpg'; use one of \.png"):
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


def test_empty_and_full() -> None:
    zero = np.zeros(SHAPE, np.float32)
    for value, empty, full in [(0, True, False), (0.1, True, False), (0.2, False, False), (0.6, False, True)]:
        mask = read_mask(npy(zero + np.float32(value)))
        assert (mask.is_empty, mask.is_full) == (empty, full)
    assert not read_mask(npy(COARSE)).is_empty
    assert not read_mask(npy(COARSE)).is_full
    ids = np.full(SHAPE, 4, np.uint8)
    ids[0] = 255
    assert read_mask(encode(palette_image(ids), "PNG")).is_full
    all_void = read_mask(encode(palette_image(np.full(SHAPE, 255)), "PNG"))
    assert all_void.is_empty
    assert not all_void.is_full


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
    mask = resize(read_mask(encode(palette_image(ids), "PNG")), (6, 10))
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
    mask = resize(mask, (34, 24))
    assert pixels_of(encode_mask(mask, mask.probability)).shape == (24, 34)


def test_sizes_that_differ() -> None:
    mask = read_mask(npy(COARSE))
    with pytest.raises(ShapeError, match=r"\(3, 4\).*\(12, 17\)"):
        encode_mask(mask, np.zeros((3, 4), np.float32))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encode(Image.fromarray(RGB), "PNG"), "is a colour picture, not a mask"),
        (encode(Image.new("CMYK", (3, 3)), "TIFF"), "colours of the kind CMYK"),
        (encode(Image.fromarray(COARSE), "TIFF", save_all=True, append_images=[Image.fromarray(COARSE)]), "2 frames"),
        (npy(np.zeros((3, 4, 5))), r"float64 of shape \(3, 4, 5\)"),
        (npy(np.zeros((0, 5))), r"shape \(0, 5\)"),
        (npy(np.zeros((2, 2), complex)), "complex128"),
        (npy(np.array([["a"]])), "str32"),
        (npy(COARSE)[:-1], "no whole NumPy array"),
        (npy(COARSE)[:20], "no whole NumPy array"),
        (b"", "is empty"),
        (b"PK\x03\x04 not a picture", "not a whole picture"),
    ],
)
def test_files_that_are_no_masks(data: bytes, message: str) -> None:
    with pytest.raises(FileError, match=f"standard input.*{message}"):
        read_mask(data)


def test_pickles_are_never_loaded() -> None:
    with pytest.raises(FileError, match="no whole NumPy array"):
        read_mask(npy(np.array([[{}]], dtype=object)))


def test_ids_beyond_a_formats_range() -> None:
    mask = read_mask(npy(values((0, 70000), "int64")))
    with pytest.raises(FileError, match=r"do not fit \.png files"):
        encode_mask(mask, REFINED.astype(np.float32), format="PNG")


@pytest.mark.parametrize("name", ["gray PNG", "palette PNG", "16-bit PNG", "gray BMP", "WebP", "64-bit NPY"])
def test_every_beginning_of_a_mask_is_an_error(name: str) -> None:
    data = FILES[name][0](COARSE)
    spare = {"BMP": 3}.get(FILES[name][2], 0)  # padding behind the last line
    for end in range(len(data) - spare):
        with pytest.raises(FileError):
            read_mask(data[:end])


SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20))
ANY_SHAPE = [name for name in FILES if not name.startswith(("RGB", "opaque", "gray and"))]  # no fixed colours inside
STARTS = [b"", b"\x93NUMPY\x01\0", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"GIF89a"]


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    shape=SHAPES,
    name=st.sampled_from(ANY_SHAPE),
)
def test_any_mask_survives_the_round_trip(data: st.DataObject, shape: tuple[int, int], name: str) -> None:
    """Refined into anything else and written, a mask reads as what it was refined into."""
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
    mask = read_mask(npy(array))
    if mask.kind == "probability":
        again = read_mask(encode_mask(mask, mask.probability, soft=True, format=format))
        np.testing.assert_array_equal(again.probability, mask.probability)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from(STARTS),
)
def test_noise_is_a_file_error(noise: bytes, start: bytes) -> None:
    with pytest.raises(FileError):
        read_mask(start + noise)
