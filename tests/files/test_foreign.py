"""What is not read is named as what it is, with a way out that can be gone."""

import gzip
import importlib.util
import io
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spnrefine.errors import FileError, MissingExtraError
from spnrefine.files.images import read_image
from spnrefine.files.jpegxl import size_of
from spnrefine.files.masks import read_mask
from tests.files.making import SHAPE, encode, inside

NIFTI = struct.pack("<i", 348) + bytes(340) + b"n+1\0" + bytes(99)
FILES = {
    "a DICOM file": bytes(128) + b"DICM" + bytes(99),
    "a NIfTI volume": NIFTI,
    "a NIfTI volume, zipped": gzip.compress(NIFTI),
    "an NRRD volume": b"NRRD0004\ntype: uint8\n",
    "a MetaImage volume": b"ObjectType = Image\nNDims = 3\n",
    "an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(99),
    "a picture in LERC": b"Lerc2 " + bytes(99),
    "a pickled Python object": pickle.dumps({"masks": [1]}),
}


@pytest.mark.parametrize("what", FILES)
def test_files_are_named_as_what_they_are(what: str) -> None:
    for read in (read_image, read_mask):
        with pytest.raises(FileError, match=f"standard input is {what.partition(',')[0]}, which is not read: save "):
            read(FILES[what])


def test_the_advice_on_pickled_masks_can_be_followed(tmp_path: Path) -> None:
    file = tmp_path / "cells_seg.npy"
    np.save(file, np.array({"masks": inside().astype(np.uint16), "filename": "a"}, object), allow_pickle=True)
    with pytest.raises(
        FileError, match=r"holds pickled objects, as cellpose's _seg.npy does: save the mask alone"
    ) as told:
        read_mask(file)
    advice = str(told.value).partition("cellpose as ")[2].removesuffix(".")
    mask = tmp_path / "mask.npy"
    exec(advice.replace("'mask.npy'", "mask"), {"numpy": np, "file": file, "mask": mask})
    np.testing.assert_array_equal(read_mask(mask).probability, inside())


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99)
JPEG_XL = b"\xff\x0a\xcb\x06" + bytes(40)


@pytest.mark.parametrize(("data", "extra"), [(HEIC, "heif"), (JPEG_XL, "jxl")])
def test_formats_of_extras_name_the_extra(data: bytes, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spnrefine.files.foreign.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'spnrefine\[{extra}\]'"):
        read_image(data)


@pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="the extra heif is not installed")
def test_heic() -> None:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 10, 10))).save(buffer)
    assert read_image(buffer.getvalue()).shape == (48, 64, 3)


@pytest.mark.skipif(importlib.util.find_spec("pillow_jxl") is None, reason="the extra jxl is not installed")
def test_jpeg_xl() -> None:
    import pillow_jxl  # noqa: F401

    rgb = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_image(encode(Image.fromarray(rgb), "JXL", lossless=True)), rgb)


@pytest.mark.parametrize(
    ("start", "size"),
    [  # as libjxl writes them
        ("ff0a6002560e00138802", (300, 77)),
        ("ff0acb060013880200dc", (64, 48)),
        ("ff0a3a1f190013880200", (1000, 1000)),
        ("ff0a98004f4618001388", (9000, 20)),
        ("ff0aba211d0013880200", (1920, 1080)),
        ("ff0a41060013880200a8", (8, 8)),
    ],
)
def test_the_size_of_a_jpeg_xl_picture_is_known_before_it_is_decoded(start: str, size: tuple[int, int]) -> None:
    stream = bytes.fromhex(start) + bytes(40)
    assert size_of(stream) == size
    box = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl " + b"\0\0\0\0jxlc" + stream
    assert size_of(box) == size
    assert size_of(stream[:9]) is None
