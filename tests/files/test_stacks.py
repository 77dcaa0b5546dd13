"""Stacks of planes: pages of a TIFF, and NPY and NPZ of shape (K, H, W)."""

import io

import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError, ShapeError
from spnrefine.files.images import Photograph
from spnrefine.files.masks import encode_mask, extension, read_mask
from spnrefine.files.sizes import align, resize_mask
from tests.files.making import SHAPE, encode, inside, npy, open_bytes
from tests.files.mask_files import RGB

IDS = inside() * 1 + inside(5) * 1  # 0, 1, 2
HARD = np.arange(3)[:, None, None] == IDS
MOVED = np.roll(HARD, 1, axis=1)
SOFT = (0.8 * HARD + 0.1 * ~HARD).astype(np.float32)


def tiff(planes, **settings):
    first, *others = map(Image.fromarray, planes)
    return encode(first, "TIFF", save_all=True, append_images=others, **settings)


def npz(planes):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, probability=planes, names=np.array(["sky", "cat", "dog"]))
    return buffer.getvalue()


def planes_of(data):
    if data.startswith(b"PK"):
        return np.load(io.BytesIO(data))["probability"]
    if data.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(data))
    image = open_bytes(data)
    pages = []
    for number in range(image.n_frames):
        image.seek(number)
        pages.append(np.array(image))
    return np.stack(pages)


# name: (make the file of hard planes, format)
FILES = {
    "1-bit TIFF": (lambda at: tiff(at, compression="group4"), "TIFF"),
    "8-bit TIFF": (lambda at: tiff(at * np.uint8(255), compression="tiff_lzw"), "TIFF"),
    "float TIFF": (lambda at: tiff(at.astype(np.float32)), "TIFF"),
    "bool NPY": (npy, "NPY"),
    "8-bit NPY": (lambda at: npy(at * np.uint8(255)), "NPY"),
    "64-bit NPY": (lambda at: npy(at.astype(np.int64)), "NPY"),
    "float NPY of a batch": (lambda at: npy(at[None].astype(np.float16)), "NPY"),
    "float NPZ": (lambda at: npz(at.astype(np.float64)), "NPZ"),
}
EACH = pytest.mark.parametrize(("make", "format"), FILES.values(), ids=FILES)


@EACH
def test_a_stack_comes_back_in_kind(make, format):
    data = make(HARD)
    mask = read_mask(data)
    assert (mask.kind, mask.format, mask.shape) == ("binary", format, SHAPE)
    assert mask.stack.is_distribution
    np.testing.assert_array_equal(mask.stack.planes, HARD)
    np.testing.assert_array_equal(mask.probability, IDS != 0)
    assert encode_mask(mask, HARD) == data
    assert encode_mask(mask, SOFT) == data  # the most probable planes are the same
    changed, expected = encode_mask(mask, MOVED), make(MOVED)
    assert planes_of(changed).dtype == planes_of(expected).dtype
    np.testing.assert_array_equal(planes_of(changed), planes_of(expected))
    if format == "TIFF":
        assert open_bytes(changed).info["compression"] in (open_bytes(data).info["compression"], "tiff_adobe_deflate")
    if format == "NPZ":
        np.testing.assert_array_equal(np.load(io.BytesIO(changed))["names"], ["sky", "cat", "dog"])


@EACH
def test_soft_planes(make, format):
    found = planes_of(encode_mask(read_mask(make(HARD)), SOFT, soft=True))
    given = planes_of(make(HARD))
    assert found.shape == given.shape
    if given.dtype.kind == "f":
        assert found.dtype == given.dtype
        np.testing.assert_allclose(found.reshape(HARD.shape), SOFT, atol=1e-3)
    else:
        np.testing.assert_array_equal(found, np.round(255 * SOFT).astype(np.uint8))


@EACH
@pytest.mark.parametrize("target", [".tif", ".npy", ".npz"])
def test_other_formats_hold_the_same_stack(make, format, target):
    mask = read_mask(make(HARD))
    for soft in (False, True):
        again = read_mask(encode_mask(mask, SOFT if soft else MOVED, soft=soft, format=target))
        np.testing.assert_allclose(again.stack.planes, SOFT if soft else MOVED, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("target", [".png", ".bmp", ".webp"])
def test_formats_of_one_plane_say_that_they_hold_no_stack(target):
    with pytest.raises(FileError, match="cannot hold a stack of 3 planes: write it as TIFF or NPY"):
        encode_mask(read_mask(npy(HARD)), MOVED, format=target)


def test_probabilities_that_sum_to_one_are_a_distribution_and_others_are_not():
    rounded = np.round(255 * SOFT).astype(np.uint8)
    for planes in (SOFT, SOFT.astype(np.float16), rounded, HARD, HARD.astype(np.uint8)):
        assert read_mask(npy(planes)).stack.is_distribution
    masks = np.stack([inside(), inside(2), inside(4)])
    for planes in (masks, masks * np.uint8(255), masks * np.float32(0.9), SOFT[1:]):
        mask = read_mask(npy(planes))
        assert not mask.stack.is_distribution
        np.testing.assert_array_equal(mask.probability, mask.stack.planes.max(axis=0))
    overlapping = planes_of(encode_mask(read_mask(npy(masks)), np.roll(masks, 1, axis=1)))
    np.testing.assert_array_equal(overlapping, np.roll(masks, 1, axis=1))


def test_a_stack_that_was_piped_gets_the_extension_of_its_format():
    assert extension(read_mask(npy(SOFT))) == ".npy"
    assert extension(read_mask(tiff(SOFT))) == ".tif"


def test_a_stack_is_turned_with_its_photograph_and_back():
    photograph = Photograph(np.zeros((SHAPE[1], SHAPE[0], 3), np.uint8), 6)
    data = npy(SOFT)
    mask = align(read_mask(data), photograph)
    assert mask.stack.planes.shape == (3, SHAPE[1], SHAPE[0])
    np.testing.assert_array_equal(mask.stack.planes[1], np.rot90(SOFT[1], -1))
    assert encode_mask(mask, mask.stack.planes) == data
    turned = encode_mask(mask, np.rot90(MOVED, -1, axes=(1, 2)))
    np.testing.assert_array_equal(np.load(io.BytesIO(turned)), MOVED)


def test_a_stack_is_resized():
    shape = (SHAPE[0] * 2, SHAPE[1] * 2)
    mask = resize_mask(read_mask(npy(SOFT)), shape)
    np.testing.assert_allclose(mask.stack.planes.sum(axis=0), 1, atol=1e-5)
    moved = np.roll(mask.stack.planes, 3, axis=1)
    assert np.load(io.BytesIO(encode_mask(mask, moved, soft=True))).shape == (3, *shape)


@pytest.mark.parametrize(
    ("data", "how", "message"),
    [
        (npy(SOFT * 2), {}, "outside 0..1"),
        (npy(np.where(SOFT > 0.5, np.nan, SOFT)), {}, "outside 0..1"),
        (npy((SOFT * 1000).astype(np.uint16)), {}, "3 planes of uint16 numbers beyond 0 and 1: give probabilities"),
        (npy(-HARD.astype(np.int8)), {}, "3 planes of int8"),
        (npy(SOFT), {"labels": True}, "3 planes, not ids: leave out --labels"),
        (npy(SOFT), {"void": 255}, "3 planes, not ids: leave out --void"),
        (tiff([RGB, RGB]), {}, "2 pages of 3 bands, where a stack has one gray plane a page"),
        (tiff([IDS.astype(np.uint16)] * 2), {}, "2 planes of uint16 numbers beyond 0 and 1"),
        (tiff([SOFT[0], SOFT[0, :5]]), {}, "pages of several sizes or kinds"),
        (tiff([SOFT[0], HARD[0]]), {}, "pages of several sizes or kinds"),
        (tiff(SOFT)[:-100], {}, "damaged or cut short"),
    ],
)
def test_stacks_that_cannot_be_read_are_one_sentence(data, how, message):
    with pytest.raises(FileError, match=f"^standard input [^\n]*{message}"):
        read_mask(data, **how)


def test_pages_beyond_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr("spnrefine.files.tiff_pages.max_values", lambda: SOFT.size - 1)
    with pytest.raises(FileError, match="3 pages of 17 x 12 pixels, and at most"):
        read_mask(tiff(SOFT))


def test_another_number_of_planes_is_refused():
    with pytest.raises(ShapeError, match="give one size"):
        encode_mask(read_mask(npy(SOFT)), SOFT[:2])


def test_planes_of_a_few_values_are_questioned():
    """A volume of ids, (Z, H, W): taken for probabilities, its ids would be lost."""
    volume = np.stack([IDS * 70, IDS.T.reshape(SHAPE) * 70]).astype(np.uint8)
    with pytest.raises(FileError, match="planes of the values 0, 70, 140: give --labels where they are ids"):
        read_mask(npy(volume))
    with pytest.raises(FileError, match="or --labels where each plane holds ids"):
        read_mask(npy(volume.astype(np.uint16)))
