"""What a truth means: each kind of file that was once read wrongly, and its right reading."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError, ShapeError
from spnrefine.files.images import read_photograph
from spnrefine.files.orientation import turn_back
from spnrefine.files.truth import read_labels, read_object
from tests.files.making import SHAPE, encode, inside, npy, palette_image, with_orientation

OBJECT = inside()
RIM = inside(1) & ~OBJECT
RNG = np.random.default_rng(0)


def gray(*values: tuple[np.ndarray, int]) -> np.ndarray:
    """An 8-bit picture of 0, and the values given where they are given."""
    pixels = np.zeros(SHAPE, np.uint8)
    for where, value in values:
        pixels[where] = value
    return pixels


def png(pixels: np.ndarray) -> bytes:
    return encode(Image.fromarray(pixels), "PNG")


def palette(indices: np.ndarray, *colours: tuple[int, int, int]) -> bytes:
    image = Image.fromarray(indices.astype(np.uint8))
    image.putpalette(bytes(part for colour in colours for part in colour))
    return encode(image, "PNG")


COLOURS = RNG.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
PLAIN = {
    "1-bit": png(OBJECT),
    "0 and 255": png(gray((OBJECT, 255))),
    "0 and 1": png(gray((OBJECT, 1))),
    "one id": png(gray((OBJECT, 2))),
    "one large id": png(gray((OBJECT, 99))),
    "several ids": png(gray((OBJECT, 5), (OBJECT & (np.arange(SHAPE[1]) < 7), 12))),
    "colours by id": encode(palette_image(gray((OBJECT, 7))), "PNG"),
    "red by palette": palette(OBJECT, (0, 0, 0), (255, 0, 0)),
    "dark by palette": palette(OBJECT, (200, 200, 0), (0, 0, 90)),
    "black and white by palette": palette(OBJECT, (0, 0, 0), (255, 255, 255)),
    "white and black by palette": palette(~OBJECT, (255, 255, 255), (0, 0, 0)),
    "RGBA": png(np.dstack([COLOURS, gray((OBJECT, 255))])),
    "RGBA of one colour": png(np.dstack([np.full((*SHAPE, 3), 60, np.uint8), gray((OBJECT, 255))])),
    "gray and alpha": png(np.dstack([COLOURS[..., 0], gray((OBJECT, 255))])),
    "RGB": png(np.dstack([gray((OBJECT, 255))] * 3)),
    "one 16-bit id": png(gray((OBJECT, 1)).astype(np.uint16) * 3000),
    "16-bit ids": png(np.where(OBJECT, np.arange(SHAPE[1]) + 300, 0).astype(np.uint16)),
    "soft": png(gray((OBJECT, 230), (RIM, 40))),
    "floats": npy(np.where(OBJECT, 0.9, 0.2)),
    "WebP": encode(Image.fromarray(gray((OBJECT, 255))), "WEBP", lossless=True),
}


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_the_object_is_the_object(data: bytes) -> None:
    truth = read_object(data)
    np.testing.assert_array_equal(truth.inside, OBJECT)
    assert not truth.void.any()


WITH_VOID = {
    "255 beside 1": (gray((OBJECT, 1), (RIM, 255)), None),
    "255 beside a class": (gray((OBJECT, 15), (RIM, 255)), None),
    "255 beside ids": (gray((OBJECT, 1), (OBJECT & (np.arange(SHAPE[1]) < 7), 20), (RIM, 255)), None),
    "128 beside 255": (gray((OBJECT, 255), (RIM, 128)), None),
    "levels around 128": (gray((OBJECT, 156), (RIM, 100), (RIM & (np.arange(SHAPE[0]) < 5)[:, None], 155)), None),
    "9 by choice": (gray((OBJECT, 1), (RIM, 9)), 9),
    "128 by choice": (gray((OBJECT, 1), (RIM, 128)), 128),
    "1 by choice": (gray((OBJECT, 255), (RIM, 1)), 1),
    "255 by choice, much of it": (gray((~OBJECT, 255), (inside() & inside(3), 1), (OBJECT & ~inside(3), 0)), 255),
}


@pytest.mark.parametrize(("pixels", "void"), WITH_VOID.values(), ids=WITH_VOID)
def test_void_is_neither_object_nor_background(pixels: np.ndarray, void: int | None) -> None:
    truth = read_object(png(pixels), void=void)
    chosen = {None: RIM, 9: RIM, 128: RIM, 1: RIM, 255: ~OBJECT}[void]
    np.testing.assert_array_equal(truth.void, chosen)
    np.testing.assert_array_equal(truth.inside, OBJECT if void != 255 else OBJECT & inside(3))


def test_void_in_a_palette() -> None:
    truth = read_object(encode(palette_image(gray((OBJECT, 1), (RIM, 255))), "PNG"))
    np.testing.assert_array_equal(truth.void, RIM)
    np.testing.assert_array_equal(truth.inside, OBJECT)


def test_noise_of_a_jpeg_is_no_id() -> None:
    pixels = gray((OBJECT, 255))
    truth = read_object(encode(Image.fromarray(pixels), "JPEG", quality=60))
    np.testing.assert_array_equal(truth.inside, OBJECT)
    assert not truth.void.any()


def test_nothing_and_everything() -> None:
    assert not read_object(png(gray())).inside.any()
    assert read_object(png(gray((OBJECT | True, 255)))).inside.all()
    assert read_object(png(gray((OBJECT | True, 1)))).inside.all()


SPOT = np.zeros(SHAPE, bool)
SPOT[0, 0] = True
UNCERTAIN = {
    "no background": (gray((~OBJECT, 2), (OBJECT, 1), (RIM, 3)), "1, 2, 3 but no 0"),
    "no background in a palette": (palette_image(gray((~OBJECT, 2), (OBJECT, 1))), "none of them is 0"),
    "no background in 16 bits": (gray((~OBJECT, 2), (OBJECT, 1)).astype(np.uint16), "none of them is 0"),
    "half gray alone": (gray((OBJECT, 128)), "0, 128, of which nothing is the object"),
    "ids beyond 99": (gray((OBJECT, 5), (RIM, 120)), "0, 5, 120, of which nothing"),
    "a stray pixel": (gray((OBJECT, 255), (SPOT, 1)), "so that 255 may be void"),
    "colours without names": (np.dstack([gray(), gray((OBJECT, 255)), gray()]), "colour picture"),
}


@pytest.mark.parametrize(("picture", "named"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_what_is_not_certain_is_refused_in_a_sentence(picture, named: str) -> None:
    data = encode(picture if isinstance(picture, Image.Image) else Image.fromarray(picture), "PNG")
    with pytest.raises(FileError) as error:
        read_object(data)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_stacks_are_refused() -> None:
    with pytest.raises(FileError, match="3 planes"):
        read_object(npy(np.zeros((3, *SHAPE), np.uint8)))
    with pytest.raises(FileError, match="no label map"):
        read_labels(npy(np.zeros((3, *SHAPE), np.uint8)))


def test_colours_are_ids_by_their_labelmap(tmp_path: Path) -> None:
    (tmp_path / "labelmap.txt").write_text("background:0,0,0::\ncup:0,255,0::\nvoid:255,0,255::\n")
    colours = np.dstack([gray((RIM, 255)), gray((OBJECT, 255)), gray((RIM, 255))])
    (tmp_path / "a.png").write_bytes(png(colours))
    truth, labels = read_object(tmp_path / "a.png"), read_labels(tmp_path / "a.png")
    np.testing.assert_array_equal(truth.inside, OBJECT)
    np.testing.assert_array_equal(truth.void, RIM)
    np.testing.assert_array_equal(labels.ids[~labels.void], OBJECT[~RIM])
    np.testing.assert_array_equal(labels.void, RIM)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("stored", [True, False])
def test_a_truth_is_turned_with_its_photograph(orientation: int, stored: bool) -> None:
    upright = RNG.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
    file = Image.fromarray(np.ascontiguousarray(turn_back(upright, orientation)))
    photograph = read_photograph(encode(file, "PNG", exif=with_orientation(orientation)))
    np.testing.assert_array_equal(photograph.pixels, upright)
    turned = stored and orientation > 4  # only these tell by their size how the mask lies

    def drawn(pixels: np.ndarray) -> bytes:
        return png(np.ascontiguousarray(turn_back(pixels, orientation) if turned else pixels))

    truth = read_object(drawn(gray((OBJECT, 1), (RIM, 255))), photograph)
    np.testing.assert_array_equal(truth.inside, OBJECT)
    np.testing.assert_array_equal(truth.void, RIM)
    for ids in (gray((OBJECT, 3), (RIM, 255)), gray((OBJECT, 3), (SPOT, 4), (RIM, 255))):
        labels = read_labels(drawn(ids), photograph)
        np.testing.assert_array_equal(labels.ids, ids)
        np.testing.assert_array_equal(labels.void, RIM)


def test_another_size_is_named() -> None:
    photograph = read_photograph(png(COLOURS))
    for read in (read_object, read_labels):
        with pytest.raises(ShapeError, match="9x7 pixels, its photograph 17x12"):
            read(png(np.zeros((7, 9), np.uint8)), photograph)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_label_maps_keep_their_ids(dtype: type) -> None:
    ids = RNG.integers(0, 6, SHAPE).astype(dtype) * 40
    ids[0] = 255
    for data in (png(ids), npy(ids), *([encode(palette_image(ids), "PNG")] if dtype == np.uint8 else [])):
        labels = read_labels(data)
        np.testing.assert_array_equal(labels.ids, ids)
        np.testing.assert_array_equal(labels.void, ids == 255)
        assert labels.largest == ids[1:].max()
        np.testing.assert_array_equal(read_labels(data, void=int(ids[1, 1])).void, ids == ids[1, 1])


@pytest.mark.parametrize("other", [254, 256, 3000])
def test_in_more_bits_255_is_an_id_beside_its_neighbours_and_higher_ones(other: int) -> None:
    ids = np.zeros(SHAPE, np.uint16)
    ids[2:6], ids[6:9] = 255, other
    for data in (png(ids), npy(ids)):
        assert not read_labels(data).void.any()
        truth = read_object(data)
        np.testing.assert_array_equal(truth.inside, ids > 0)
        assert not truth.void.any()
        np.testing.assert_array_equal(read_labels(data, void=255).void, ids == 255)


def test_a_label_map_of_one_id_keeps_it() -> None:
    for pixels in (gray((OBJECT, 9)), gray(), OBJECT, gray((OBJECT | True, 4))):
        labels = read_labels(png(pixels))
        np.testing.assert_array_equal(labels.ids, pixels)
        assert not labels.void.any()
    assert read_labels(png(gray((OBJECT | True, 255)))).largest == 0


def test_alpha_is_no_label_map() -> None:
    with pytest.raises(FileError, match="4 x uint8 a pixel: give one channel"):
        read_labels(png(np.dstack([COLOURS, gray((OBJECT, 3))])))
