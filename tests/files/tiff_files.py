"""TIFF files as other programs write them, made in memory with tifffile and by hand."""

import io
import warnings
from typing import Any

import numpy as np
import tifffile

from tests.files.making import SHAPE, inside

IDS = (inside() * 1 + inside(5) * 1).astype(np.uint8)
"""Ids 0, 1 and 2."""
MOVED = np.roll(IDS, 1, axis=0)
WIDE, WIDE_MOVED = (300 * ids.astype(np.uint16) for ids in (IDS, MOVED))
"""The same, with ids beyond 8 bits."""


def write(array: np.ndarray, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of 3 or 4 planes that are taken for colours
        tifffile.imwrite(buffer, array, **settings)
    return buffer.getvalue()


def read(data: bytes) -> np.ndarray:
    return tifffile.imread(io.BytesIO(data))


def tags(data: bytes, page: int = 0) -> dict[str, Any]:
    """What a page says, but for where its pixels lie, and tags whose value is what their absence means."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        lengths = ("StripOffsets", "StripByteCounts", "TileOffsets", "TileByteCounts")
        said = {tag.name: tag.value for tag in file.pages[page].tags if tag.name not in lengths}
    absent = {"PlanarConfiguration", "SampleFormat", "Predictor", "BitsPerSample"}
    return {name: value for name, value in said.items() if name not in absent or set(np.atleast_1d(value)) != {1}}


def pages(*written: tuple[np.ndarray, dict[str, Any]], **settings: Any) -> bytes:
    """Write pages that differ, each with settings of its own."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, **settings) as file:
        for array, own in written:
            file.write(array, **({"photometric": "minisblack", "metadata": None, "software": False} | own))
    return buffer.getvalue()


def by_hand(data: bytes, shape: tuple[int, int], bits: int, byteorder: str = "<", **more: int) -> bytes:
    """Write a page of one strip from its bytes; ``more`` are tags by number, as in ``t317=3``."""
    order: Any = "little" if byteorder == "<" else "big"
    height, width = shape
    entries = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(data)}
    entries |= {int(name[1:]): value for name, value in more.items()}
    directory = len(entries).to_bytes(2, order)
    for code, value in sorted(entries.items()):
        directory += b"".join(n.to_bytes(size, order) for n, size in ((code, 2), (4, 2), (1, 4), (value, 4)))
    padded = data + bytes(len(data) % 2)
    mark = b"II*\0" if byteorder == "<" else b"MM\0*"
    return mark + (8 + len(padded)).to_bytes(4, order) + padded + directory + bytes(4)


def packed(ids: np.ndarray, bits: int) -> bytes:
    """Write ids with fewer bits than a type of NumPy's has, as GDAL's NBITS does."""
    rows = [np.packbits([int(bit) for value in row for bit in f"{value:0{bits}b}"]).tobytes() for row in ids.tolist()]
    return by_hand(b"".join(rows), (ids.shape[0], ids.shape[1]), bits)


__all__ = ["IDS", "MOVED", "SHAPE", "WIDE", "WIDE_MOVED", "by_hand", "packed", "pages", "read", "tags", "write"]
