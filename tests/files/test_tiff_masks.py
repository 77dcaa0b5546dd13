"""Masks in TIFF come back in the type, bits, photometric interpretation, tags and pages that they came in."""

import io
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from spnrefine.errors import FileError, MissingExtraError
from spnrefine.files.images import Photographs, read_image
from spnrefine.files.masks import encode_mask, read_mask
from spnrefine.files.rasters import read_raster, write_raster
from spnrefine.files.sizes import resize_mask
from spnrefine.files.volumes import encode_volume, of_planes, planes
from tests.files import tiff_files as tiff
from tests.files.making import SHAPE, encode, inside, npy
from tests.files.tiff_files import IDS, MOVED, WIDE, WIDE_MOVED

COARSE, REFINED = inside(), inside(1)
TYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def refined(data: bytes, after: np.ndarray, **how) -> bytes:
    return encode_mask(read_mask(data, **how), after)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", TYPES)
def test_types_come_back_as_they_came(dtype: str, byteorder: str) -> None:
    data = tiff.write(COARSE.astype(dtype), byteorder=byteorder)
    assert refined(data, COARSE.astype(np.float32)) == data
    back = refined(data, REFINED.astype(np.float32))
    np.testing.assert_array_equal(tiff.read(back), REFINED)
    assert tiff.read(back).dtype == dtype
    assert back[:2] == (b"II" if byteorder == "<" else b"MM")
    assert tiff.tags(back) == tiff.tags(data)


@pytest.mark.parametrize(("dtype", "top"), [("uint32", 3_000_000_000), ("int64", 2**40), ("uint64", 2**63)])
def test_ids_beyond_31_bits(dtype: str, top: int) -> None:
    def with_top(ids: np.ndarray) -> np.ndarray:
        return np.where(ids == 2, np.array(top, dtype), ids.astype(dtype))

    mask = read_mask(tiff.write(with_top(IDS)))
    np.testing.assert_array_equal(mask.labels, with_top(IDS))
    np.testing.assert_array_equal(tiff.read(encode_mask(mask, with_top(MOVED))), with_top(MOVED))


@pytest.mark.parametrize("packing", [{}, {"compression": "deflate", "predictor": 2}, {"compression": "lzma"}])
@pytest.mark.parametrize(
    "how",
    [
        {"byteorder": ">"},
        {"bigtiff": True},
        {"tile": (16, 32)},
        {"rowsperstrip": 5},
        {"photometric": "miniswhite"},
        {"resolution": (300, 150), "resolutionunit": "CENTIMETER"},
        {"software": "napari", "datetime": "2026:01:02 03:04:05", "description": "cells"},
        {
            "extratags": [
                (33550, 12, 3, (0.5, 0.5, 0.0), True),
                (33922, 12, 6, (0, 0, 0, 440720.0, 3751320.0, 0), True),
                (34735, 3, 8, (1, 1, 0, 1, 1024, 0, 1, 1), True),
                (42113, 2, 4, "255", True),
                (65001, 1, 5, b"12345", True),
            ]
        },
    ],
    ids=lambda how: next(iter(how)),
)
def test_what_else_the_file_says_is_kept(how: dict, packing: dict) -> None:
    data = tiff.write(WIDE, **packing, **how)
    back = refined(data, WIDE_MOVED)
    np.testing.assert_array_equal(tiff.read(back), WIDE_MOVED)
    assert tiff.tags(back) == tiff.tags(data)
    with tifffile.TiffFile(io.BytesIO(back)) as file, tifffile.TiffFile(io.BytesIO(data)) as before:
        assert (file.byteorder, file.is_bigtiff) == (before.byteorder, before.is_bigtiff)
        assert file.pages[0].is_tiled == before.pages[0].is_tiled


def test_what_pillow_compresses_is_compressed_so_again() -> None:
    for compression, number in {"tiff_lzw": 5, "packbits": 32773, "zstd": 50000, "group4": 4, "group3": 4}.items():
        image = Image.fromarray(COARSE if compression.startswith("group") else 255 * COARSE.astype(np.uint8))
        back = refined(encode(image, "TIFF", compression=compression), REFINED.astype(np.float32))
        assert tiff.tags(back)["Compression"] == number
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(back))) > 0, REFINED)


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_the_predictor_of_floats(byteorder: str) -> None:
    """Written by hand, as Adobe's Technical Note 3 says: the highest bytes of a row first, then differences."""
    values = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    split = values.astype(">f4").view(np.uint8).reshape(*SHAPE, 4).transpose(0, 2, 1).reshape(SHAPE[0], -1)
    coded = np.diff(split, axis=1, prepend=np.uint8(0))
    coded[:, 0] = split[:, 0]
    stream = zlib.compress(coded.tobytes())
    raster = read_raster(tiff.by_hand(stream, SHAPE, 32, byteorder, t259=8, t317=3, t339=3))
    np.testing.assert_array_equal(raster.pixels[..., 0], values)
    again = write_raster(raster, "TIFF")
    assert tiff.tags(again)["Predictor"] == 3
    np.testing.assert_array_equal(read_raster(again).pixels, raster.pixels)


@pytest.mark.parametrize("bits", [2, 4])
def test_class_maps_of_few_bits_hold_ids(bits: int) -> None:
    data = tiff.packed(IDS, bits)
    for how in ({}, {"labels": True}):
        mask = read_mask(data, **how)
        np.testing.assert_array_equal(mask.labels, IDS)
        back = encode_mask(mask, MOVED)
        np.testing.assert_array_equal(read_raster(back).pixels[..., 0], MOVED)
        assert tiff.tags(back)["BitsPerSample"] == bits
        assert np.asarray(Image.open(io.BytesIO(back))).max() == 2 * 255 // (2**bits - 1)  # as Pillow stretches them
    binary = read_mask(tiff.packed(COARSE.astype(np.uint8), bits))
    np.testing.assert_array_equal(binary.probability, COARSE)
    np.testing.assert_array_equal(read_raster(encode_mask(binary, REFINED)).pixels[..., 0], REFINED)


def test_twelve_bits() -> None:
    raster = read_raster(tiff.packed(10 * WIDE // 3, 12))
    np.testing.assert_array_equal(raster.pixels[..., 0], 10 * WIDE // 3)
    np.testing.assert_array_equal(read_raster(write_raster(raster, "TIFF")).pixels, raster.pixels)


def test_true_is_the_object_in_tifffiles_bools_though_0_is_white() -> None:
    data = tiff.write(COARSE)
    assert tiff.tags(data)["PhotometricInterpretation"] == 0
    mask = read_mask(data)
    np.testing.assert_array_equal(mask.probability, COARSE)
    back = encode_mask(mask, REFINED)
    np.testing.assert_array_equal(tiff.read(back), REFINED)
    assert tiff.tags(back)["PhotometricInterpretation"] == 0


def test_white_is_the_object_in_bilevel_pictures_of_others() -> None:
    """A scanner's or libvips's: what they show as white is the object, in what comes in and out."""
    data = tiff.write(~COARSE, metadata=None, software=False)
    mask = read_mask(data)
    np.testing.assert_array_equal(mask.probability, COARSE)
    back = encode_mask(mask, REFINED)
    np.testing.assert_array_equal(tiff.read(back), ~REFINED)
    assert tiff.tags(back) == tiff.tags(data)


def test_ids_have_no_brightness() -> None:
    data = tiff.write(IDS, photometric="miniswhite", metadata=None, software=False)
    np.testing.assert_array_equal(read_mask(data, labels=True).labels, IDS)


def test_pages_of_any_type_and_what_each_says() -> None:
    planes_in = np.stack([COARSE, REFINED, COARSE]).astype(np.uint8)
    data = tiff.pages(*((plane, {"extratags": [(285, 2, 7, f"page {n}", True)]}) for n, plane in enumerate(planes_in)))
    mask = read_mask(data)
    assert mask.stack is not None
    back = encode_mask(mask, planes_in[::-1].astype(bool)[[1, 0, 2]])
    assert [tiff.tags(back, n)["PageName"] for n in range(3)] == ["page 0", "page 1", "page 2"]
    np.testing.assert_array_equal(tiff.read(back), planes_in[[1, 2, 0]])


def test_imagej_and_ome_stacks_keep_their_descriptions() -> None:
    planes_in = np.stack([COARSE, REFINED]).astype(np.uint8) * 255
    for how in ({"imagej": True, "resolution": (4, 4), "metadata": {"axes": "ZYX", "unit": "um"}}, {"ome": True}):
        data = tiff.write(planes_in, photometric="minisblack", **how)
        back = encode_mask(read_mask(data), planes_in[::-1] > 0)
        assert tiff.tags(back) == tiff.tags(data)
        with tifffile.TiffFile(io.BytesIO(back)) as file:
            assert (file.is_imagej, file.is_ome) == ("imagej" in how, "ome" in how)
            np.testing.assert_array_equal(file.asarray(), planes_in[::-1])


def test_an_imagej_stack_of_one_directory_has_all_its_planes() -> None:
    planes_in = np.stack([COARSE, REFINED, ~COARSE]).astype(np.uint8) * 255
    written = tiff.write(planes_in, truncate=True, photometric="minisblack", metadata={})
    assert len(tifffile.TiffFile(io.BytesIO(written)).pages) == 1
    imagej = tiff.write(planes_in.reshape(-1, SHAPE[1]), description="ImageJ=1.54f\nimages=3\nslices=3", metadata=None)
    place = tifffile.TiffFile(io.BytesIO(imagej)).pages[0]
    edited = bytearray(imagej)
    for code in (257, 278):
        start = place.tags[code].valueoffset
        edited[start : start + 2] = SHAPE[0].to_bytes(2, "little")
    for data in (written, bytes(edited)):
        mask = read_mask(data)
        np.testing.assert_array_equal(mask.stack.planes, planes_in > 0)
        np.testing.assert_array_equal(tiff.read(encode_mask(mask, mask.stack.planes[::-1] > 0.5)), planes_in[::-1])
    with pytest.raises(FileError, match="said to hold 3 planes but ends before plane 3"):
        read_mask(bytes(edited)[: place.dataoffsets[0] + 2 * COARSE.size])


def test_overviews_and_internal_masks_are_no_planes() -> None:
    """As GDAL lays them out: NewSubfileType tells."""
    data = tiff.pages(
        (WIDE, {}),
        (np.ones(SHAPE, bool), {"subfiletype": 4, "photometric": "mask"}),
        (WIDE[::2, ::2], {"subfiletype": 1}),
    )
    mask = read_mask(data)
    np.testing.assert_array_equal(mask.labels, WIDE)
    assert mask.raster.notes == ("its overviews or internal masks are not written again",)
    assert encode_mask(mask, mask.labels) == data
    np.testing.assert_array_equal(tiff.read(encode_mask(mask, WIDE_MOVED)), WIDE_MOVED)


def test_that_levels_of_a_pyramid_within_its_page_are_gone_is_said() -> None:
    """As OME lays them out: in the page's SubIFDs."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(WIDE, subifds=1)
        file.write(WIDE[::2, ::2], subfiletype=1)
    mask = read_mask(buffer.getvalue())
    assert mask.raster.notes == ("its overviews or internal masks are not written again",)
    np.testing.assert_array_equal(tiff.read(encode_mask(mask, WIDE_MOVED)), WIDE_MOVED)


def test_a_band_behind_the_mask_is_carried_over() -> None:
    confidence = np.arange(COARSE.size, dtype=np.uint8).reshape(SHAPE)
    for config in ("contig", "separate"):
        bands = np.stack([255 * COARSE.astype(np.uint8), confidence], axis=2 if config == "contig" else 0)
        data = tiff.write(bands, photometric="minisblack", planarconfig=config, metadata=None)
        mask = read_mask(data)
        assert "of its 2 bands, the first was refined" in mask.raster.notes[0]
        back = encode_mask(mask, REFINED)
        expected = np.stack([255 * REFINED.astype(np.uint8), confidence], axis=2 if config == "contig" else 0)
        np.testing.assert_array_equal(tiff.read(back), expected)
        assert tiff.tags(back) == tiff.tags(data)
        assert tiff.read(encode_mask(resize_mask(mask, (6, 8)), REFINED[:6, :8])).size == 6 * 8 * 2


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_planes_that_tifffile_takes_for_colours_are_planes(count: int) -> None:
    masks = np.stack([np.roll(COARSE, n, axis=1) for n in range(count)]).astype(np.uint8) * 255
    bands = {"photometric": "minisblack", "planarconfig": "contig"}
    data = tiff.write(masks) if count in (3, 4) else tiff.write(np.moveaxis(masks, 0, 2), **bands)
    mask = read_mask(data)
    np.testing.assert_array_equal(mask.stack.planes, masks > 0)
    back = encode_mask(mask, masks[::-1] > 0)
    assert tiff.tags(back) == tiff.tags(data)
    np.testing.assert_array_equal(read_mask(back).stack.planes, masks[::-1] > 0)


def test_a_volume_of_ids_with_labels() -> None:
    """Each plane of (Z, H, W) is a map of its own; also in NPY."""
    volume = np.stack([IDS, MOVED, IDS]) * np.uint8(20)
    for data, read in ((tiff.write(volume), tiff.read), (npy(volume), lambda data: np.load(io.BytesIO(data)))):
        raster = read_raster(data)
        mask = of_planes(raster, [read_mask(npy(plane[..., 0]), labels=True) for plane in _pixels(raster)])
        np.testing.assert_array_equal([page.labels for page in mask.pages], volume)
        assert encode_volume(mask, list(volume)) == data
        back = read(encode_volume(mask, list(np.roll(volume, 1, axis=1))))
        np.testing.assert_array_equal(back, np.roll(volume, 1, axis=1))
        assert back.dtype == np.uint8


def _pixels(raster) -> list[np.ndarray]:
    return [plane.pixels for plane in planes(raster)]


def test_a_palette_keeps_its_colours_as_they_are_written() -> None:
    colours = np.zeros((3, 256), np.uint16)
    colours[:, 1], colours[:, 2] = (65535, 300, 0), (0, 20000, 12345)
    data = tiff.write(IDS, photometric="palette", colormap=colours)
    mask = read_mask(data)
    assert mask.kind == "labels"
    assert mask.raster.palette is not None
    assert mask.raster.palette[3:6] == bytes([255, 1, 0])
    back = encode_mask(mask, MOVED)
    np.testing.assert_array_equal(tiff.tags(back)["ColorMap"], colours)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(back))), MOVED)


def test_an_orientation_stays_and_so_does_the_order_of_the_pixels() -> None:
    data = tiff.write(COARSE.astype(np.uint8), extratags=[(274, 3, 1, 6, True)])
    mask = read_mask(data)
    np.testing.assert_array_equal(mask.probability, np.rot90(COARSE, -1))
    back = encode_mask(mask, np.rot90(REFINED, -1))
    np.testing.assert_array_equal(tiff.read(back), REFINED)
    assert tiff.tags(back) == tiff.tags(data)


def test_a_resized_mask_says_nothing_of_its_old_pixels() -> None:
    data = tiff.write(COARSE.astype(np.uint8), resolution=(9, 9), extratags=[(33550, 12, 3, (1.0, 1.0, 0.0), True)])
    shape = (2 * SHAPE[0], 2 * SHAPE[1])
    back = encode_mask(resize_mask(read_mask(data), shape), np.ones(shape, bool))
    assert not {"ImageDescription", "XResolution", "ModelPixelScaleTag"} & set(tiff.tags(back))
    assert tiff.read(back).shape == shape


@pytest.mark.parametrize("compression", ["LERC", "JPEGXL"])
def test_what_needs_imagecodecs_says_so(compression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(tiff.write(COARSE.astype(np.uint8)))
    place = tifffile.TiffFile(io.BytesIO(data)).pages[0].tags[259].valueoffset
    data[place : place + 2] = {"LERC": 34887, "JPEGXL": 50002}[compression].to_bytes(2, "little")
    monkeypatch.setattr("spnrefine.files.tiff_decoders.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=rf"compressed with {compression}, .*pip install 'spnrefine\[codecs\]'"):
        read_mask(bytes(data))


def test_kinds_that_are_no_masks_are_named() -> None:
    complex_numbers = tiff.write(COARSE.astype(np.complex64))
    with pytest.raises(FileError, match="holds complex numbers of 64 bits: save it as integers or floats"):
        read_mask(complex_numbers)
    with pytest.raises(FileError, match="alpha channel of 16 bits"):
        read_mask(tiff.write(np.zeros((*SHAPE, 4), np.uint16), photometric="rgb", extrasamples=["unassalpha"]))
    with pytest.raises(FileError, match=r"sizes or kinds \(17 x 12 of 8 bits, 17 x 12 of 16 bits\)"):
        read_mask(tiff.pages((IDS, {}), (IDS.astype(np.uint16), {})))


def test_every_beginning_of_a_mask_is_an_error_or_all_there() -> None:
    data = tiff.write(np.stack([COARSE, REFINED]).astype(np.uint8), compression="deflate", photometric="minisblack")
    whole, failed = read_raster(data).pixels, 0
    for end in range(1, len(data)):
        try:
            np.testing.assert_array_equal(read_raster(data[:end]).pixels, whole)
        except FileError:
            failed += 1
    assert failed > len(data) - 10


def test_a_picture_too_large_is_refused_by_its_header() -> None:
    data = bytearray(tiff.write(COARSE.astype(np.uint8)))
    page = tifffile.TiffFile(io.BytesIO(data)).pages[0]
    for code in (256, 257):
        start = page.tags[code].valueoffset
        data[start : start + 2] = (20_000).to_bytes(2, "little")
    with pytest.raises(FileError, match="20000 x 20000 pixels"):
        read_mask(bytes(data))


def test_a_strip_that_unpacks_into_more_than_it_may_is_cut() -> None:
    data = tiff.write(np.zeros((64, 64), np.uint8), compression="deflate", rowsperstrip=64)
    page = tifffile.TiffFile(io.BytesIO(data)).pages[0]
    edited = bytearray(data)
    for code in (257, 278):
        start = page.tags[code].valueoffset
        edited[start : start + 2] = (8).to_bytes(2, "little")
    assert read_raster(bytes(edited)).pixels.shape == (8, 64, 1)


def test_damaged_bytes_never_raise_another_kind() -> None:
    random, failed = np.random.default_rng(1), 0
    files = [
        tiff.write(WIDE, compression="deflate", predictor=2, tile=(16, 16)),
        tiff.write(np.stack([WIDE] * 3), imagej=True, metadata={"axes": "CYX"}),
        tiff.packed(IDS, 2),
    ]
    for n in range(240):
        damaged = bytearray(files[n % 3])
        for position in random.integers(0, len(damaged), 3):
            damaged[position] = random.integers(0, 256)
        for read in (read_raster, lambda data: len(Photographs(data)), read_image):
            try:
                read(bytes(damaged))
            except (FileError, MissingExtraError):
                failed += 1
    assert failed > 50
