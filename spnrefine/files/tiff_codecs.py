"""What compresses the strips and tiles of a TIFF, as bytes: Python's own modules, and the libtiff that Pillow brings.

Nothing here grows beyond the size that is asked for, whatever a damaged or hostile file says.
"""

import io
import lzma
import struct
import zlib

import tifffile
from PIL import Image

NONE, CCITT_RLE, CCITT_G3, CCITT_G4, LZW, ADOBE_DEFLATE, PACKBITS = 1, 2, 3, 4, 5, 8, 32773
DEFLATE, LZMA, ZSTD = 32946, 34925, 50000
"""Values of the tag Compression, of TIFF 6.0 and libtiff's ``tiff.h``."""

PILLOW = {CCITT_RLE: "tiff_ccitt", CCITT_G3: "group3", CCITT_G4: "group4", LZW: "tiff_lzw"}
PILLOW |= {PACKBITS: "packbits", ZSTD: "zstd"}
"""Pillow's names of those that its libtiff is asked for."""
BILEVEL = (CCITT_RLE, CCITT_G3, CCITT_G4)
"""Those for pictures of 1 bit alone."""
PREDICTABLE = (LZW, ADOBE_DEFLATE, DEFLATE, LZMA, ZSTD)
"""Those before which a predictor may stand."""
KNOWN = (NONE, ADOBE_DEFLATE, DEFLATE, LZMA, *PILLOW)

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def decompress(
    data: bytes, compression: int, rows: int, width: int, *, reversed_bits: bool = False, group3: int = 0
) -> bytes:
    """Decompress one strip or tile into its rows, each of whole bytes; fewer bytes where the data end early.

    Parameters
    ----------
    compression : one of `KNOWN`.
    width : bytes of a row; pixels, of 1 bit, for `BILEVEL`.
    reversed_bits : FillOrder is 2, so that the first bit of a byte is its lowest.
    group3 : the tag T4Options, for `CCITT_G3`.

    Damaged data raise errors of many kinds.
    """
    size = rows * width
    if reversed_bits:
        data = data.translate(_REVERSED)
    if compression == NONE:
        return data[:size]
    if compression in (ADOBE_DEFLATE, DEFLATE):
        return zlib.decompressobj().decompress(data, size)
    if compression == LZMA:
        return lzma.LZMADecompressor().decompress(data, size)
    return _libtiff_decompress(data, compression, rows, width, group3)


def compress(data: bytes, compression: int, rows: int, width: int) -> bytes:
    """Compress one strip or tile; the reverse of `decompress`."""
    if compression == NONE:
        return data
    if compression in (ADOBE_DEFLATE, DEFLATE):
        return zlib.compress(data, 6)
    if compression == LZMA:
        return lzma.compress(data)
    image = Image.frombytes("1" if compression in BILEVEL else "L", (width, rows), data)
    written = io.BytesIO()
    image.save(written, "TIFF", compression=PILLOW[compression], tiffinfo={278: rows})
    written.seek(0)
    with tifffile.TiffFile(written) as tiff:
        page = tiff.pages.first
        return b"".join(
            written.getvalue()[offset : offset + count]
            for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
        )


def _libtiff_decompress(data: bytes, compression: int, rows: int, width: int, group3: int) -> bytes:
    """Let libtiff read a TIFF of one strip, whose pixels are the bytes (or the bits, of `BILEVEL`)."""
    entries = {256: width, 257: rows, 258: 1 if compression in BILEVEL else 8, 259: compression, 262: 1, 273: 0}
    entries |= {277: 1, 278: rows, 279: len(data)} | ({292: group3} if compression == CCITT_G3 else {})
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    header = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    tags = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in entries.items())
    with Image.open(io.BytesIO(header + tags + struct.pack("<I", 0) + data)) as image:
        return image.tobytes()
