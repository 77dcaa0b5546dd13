"""The pixels of one page of a TIFF, as they are stored, from its strips and tiles, and back into them."""

from typing import Any

import numpy as np
import tifffile

from spnrefine.errors import FileError
from spnrefine.files import tiff_codecs
from spnrefine.files.limits import max_pixels

HORIZONTAL, FLOATING = 2, 3
"""Values of the tag Predictor."""
_T4_OPTIONS = 292
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}  # of the tag SampleFormat; 4: untyped


def dtype_of(page: tifffile.TiffPage) -> np.dtype | None:
    """Return the type that holds a page's samples, in native byte order: bools for 1 bit; None where there is none."""
    kind, bits = _KINDS.get(int(page.sampleformat)), page.bitspersample
    if kind is None or not isinstance(bits, int) or not 1 <= bits <= 64:
        return None
    if kind == "u":
        if bits == 1:
            return np.dtype(bool)
        size = next(size for size in (8, 16, 32, 64) if bits <= size)
        return np.dtype(f"u{size // 8}") if bits <= 32 or bits == 64 else None
    return np.dtype(f"{kind}{bits // 8}") if bits in (16, 32, 64) or (kind, bits) == ("i", 8) else None


def decode(page: tifffile.TiffPage, data: bytes, name: str) -> np.ndarray:
    """Decode a page whose compression is one of `tiff_codecs.KNOWN`: an (H, W, samples) array of `dtype_of`.

    Strips and tiles that a sparse file leaves out hold the page's nodata, or 0.

    Raises
    ------
    FileError
        Damaged, or cut short.
    """
    height, width, samples = page.imagelength, page.imagewidth, page.samplesperpixel
    dtype = dtype_of(page)
    assert dtype is not None
    together = samples if int(page.planarconfig) == 1 else 1
    rows, columns = (
        (page.tilelength, page.tilewidth) if page.is_tiled else (min(page.rowsperstrip or height, height), width)
    )
    if not 0 < rows * columns <= max(max_pixels(), height * width):
        raise FileError(f"{name} has tiles of {columns} x {rows} pixels: export or copy it again.")
    down, across = -(-height // rows), -(-width // columns)
    pixels = np.full((height, width, samples), _left_out(page, dtype), dtype)
    places = [(n // (down * across), *divmod(n % (down * across), across)) for n in range(len(page.dataoffsets))]
    if len(places) < down * across * samples // together:
        raise FileError(f"{name} is damaged or cut short (strips or tiles are missing): export or copy it again.")
    for (plane, row, column), start, count in zip(places, page.dataoffsets, page.databytecounts, strict=False):
        if plane * together >= samples or not (start and count):
            continue
        there = rows if page.is_tiled else min(rows, height - row * rows)
        if page.compression == tiff_codecs.NONE:  # counts are often wrong, where nothing depends on them
            count = there * _row_bytes(page, columns * together)
        try:
            block = _block(page, data[start : start + count], there, columns, together)
        except Exception as error:  # each codec has errors of its own
            raise FileError(f"{name} is damaged or cut short ({error}): export or copy it again.") from error
        into = pixels[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns]
        into[..., plane * together : (plane + 1) * together] = block[: into.shape[0], : into.shape[1]]
    return pixels


def encode(pixels: np.ndarray, layout: dict[str, Any]) -> list[bytes]:
    """Encode an (H, W, samples) array into strips or tiles.

    Parameters
    ----------
    layout : ``rows``, ``columns`` (of a strip or tile), ``is_tiled``, ``is_planar``, ``bits``, ``byteorder``,
        ``compression`` (one of `tiff_codecs.KNOWN`) and ``predictor``.
    """
    height, width, samples = pixels.shape
    rows, columns = layout["rows"], layout["columns"]
    groups = [pixels[..., [n]] for n in range(samples)] if layout["is_planar"] else [pixels]
    blocks = [
        plane[row : row + rows, column : column + columns]
        for plane in groups
        for row in range(0, height, rows)
        for column in range(0, width, columns)
    ]
    if layout["is_tiled"]:
        blocks = [_padded(block, rows, columns) for block in blocks]
    return [_bytes(block, layout) for block in blocks]


def _left_out(page: tifffile.TiffPage, dtype: np.dtype) -> float:
    """Return the nodata of a page where its type holds it, else 0."""
    if dtype.kind in "ui" and not np.iinfo(dtype).min <= page.nodata <= np.iinfo(dtype).max:
        return 0
    return page.nodata


def _row_bytes(page: tifffile.TiffPage, values: int) -> int:
    return -(-values * page.bitspersample // 8)


def _block(page: tifffile.TiffPage, data: bytes, rows: int, columns: int, samples: int) -> np.ndarray:
    """Decode a strip or tile: (rows, columns, samples)."""
    compression, values = int(page.compression), columns * samples
    row_bytes = _row_bytes(page, values)
    options = page.tags.get(_T4_OPTIONS)
    raw = tiff_codecs.decompress(
        data,
        compression,
        rows,
        values if compression in tiff_codecs.BILEVEL else row_bytes,
        reversed_bits=int(page.fillorder) == 2,
        group3=int(options.value) if options else 0,
    )
    if len(raw) < rows * row_bytes:
        raise ValueError(f"{len(raw)} of {rows * row_bytes} bytes of a strip or tile")
    table = np.frombuffer(raw, np.uint8, rows * row_bytes).reshape(rows, row_bytes)
    dtype = dtype_of(page)
    assert dtype is not None
    if page.bitspersample != 8 * dtype.itemsize:
        return _unpacked(table, values, page.bitspersample).astype(dtype).reshape(rows, columns, samples)
    if int(page.predictor) == FLOATING:
        return _from_floating(table, dtype, samples).reshape(rows, columns, samples)
    block = table.view(dtype.newbyteorder(page.parent.byteorder)).astype(dtype).reshape(rows, columns, samples)
    if int(page.predictor) == HORIZONTAL:
        whole = block.view(f"u{dtype.itemsize}")
        block = np.cumsum(whole, axis=1, dtype=whole.dtype).view(dtype)
    return block


def _bytes(block: np.ndarray, layout: dict[str, Any]) -> bytes:
    rows, columns, samples = block.shape
    values, bits, compression = columns * samples, layout["bits"], layout["compression"]
    if bits != 8 * block.dtype.itemsize:
        table = _packed(block.reshape(rows, values), bits)
    elif layout["predictor"] == FLOATING:
        table = _to_floating(block, samples)
    else:
        if layout["predictor"] == HORIZONTAL:
            whole = np.ascontiguousarray(block).view(f"u{block.dtype.itemsize}")
            block = np.diff(whole, axis=1, prepend=np.zeros_like(whole[:, :1]))
        table = block.astype(block.dtype.newbyteorder(layout["byteorder"])).reshape(rows, values)
    width = values if compression in tiff_codecs.BILEVEL else table.nbytes // rows
    return tiff_codecs.compress(table.tobytes(), compression, rows, width)


def _padded(block: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return np.pad(block, [(0, rows - block.shape[0]), (0, columns - block.shape[1]), (0, 0)], mode="edge")


def _unpacked(table: np.ndarray, values: int, bits: int) -> np.ndarray:
    """Turn rows of bytes into rows of numbers of ``bits`` bits, the highest first; each row begins with a byte."""
    each = np.unpackbits(table, axis=1, count=values * bits)
    if bits == 1:
        return each
    numbers = np.zeros((len(table), values), np.uint32)
    for bit in range(bits):
        numbers |= each[:, bit::bits].astype(np.uint32) << (bits - 1 - bit)
    return numbers


def _packed(numbers: np.ndarray, bits: int) -> np.ndarray:
    if bits == 1:
        return np.packbits(numbers != 0, axis=1)
    each = np.empty((*numbers.shape, bits), np.uint8)
    for bit in range(bits):
        each[..., bit] = numbers >> (bits - 1 - bit) & 1
    return np.packbits(each.reshape(len(numbers), -1), axis=1)


def _from_floating(table: np.ndarray, dtype: np.dtype, samples: int) -> np.ndarray:
    """Undo the floating point predictor: differences of bytes, the highest bytes of a row first.

    Source: Adobe Photoshop TIFF Technical Note 3.
    """
    rows, size = len(table), dtype.itemsize
    summed = np.cumsum(table.reshape(rows, -1, samples), axis=1, dtype=np.uint8).reshape(rows, size, -1)
    return np.ascontiguousarray(summed.transpose(0, 2, 1)).view(dtype.newbyteorder(">"))[..., 0].astype(dtype)


def _to_floating(block: np.ndarray, samples: int) -> np.ndarray:
    rows, size = len(block), block.dtype.itemsize
    each = block.astype(block.dtype.newbyteorder(">")).reshape(rows, -1, 1).view(np.uint8)
    table = np.ascontiguousarray(each.transpose(0, 2, 1)).reshape(rows, -1, samples)
    return np.diff(table, axis=1, prepend=np.zeros_like(table[:, :1])).reshape(rows, size * (each.shape[1]))
