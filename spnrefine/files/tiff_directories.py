"""The bytes of a TIFF from its pages' tags and compressed pixels.

Tags go through as the bytes that they were, whoever invented them, beside pixels of any number of bits under any
compression: more than ``tifffile``, which reads them, can be asked to write.

Source: TIFF 6.0, section 2; BigTIFF as in libtiff's ``tiff.h``.
"""

import struct
from collections.abc import Sequence

import numpy as np

Entry = tuple[int, int, bytes]
"""Type, count and value of a tag, the value in the file's byte order."""

SHORT, LONG, LONG8 = 3, 4, 16
_FORMATS = {SHORT: "H", LONG: "I", LONG8: "Q"}
_OFFSETS, _COUNTS = {False: 273, True: 324}, {False: 279, True: 325}  # of strips, and of tiles


def numbers(kind: int, values: Sequence[int], byteorder: str) -> Entry:
    """Make an entry of whole numbers of a type: `SHORT`, `LONG` or `LONG8`."""
    return kind, len(values), struct.pack(f"{byteorder}{len(values)}{_FORMATS[kind]}", *values)


def assemble(
    pages: Sequence[tuple[dict[int, Entry], Sequence[bytes]]], byteorder: str, *, is_big: bool, is_tiled: bool
) -> bytes:
    """Put a TIFF together: of each page its tags, but for those that say where its pixels lie, and its segments.

    The pixels of all pages come first, without a gap: of stacks that are not compressed, ImageJ expects that.
    """
    offset_kind, inline, number = (LONG8, 8, "Q") if is_big else (LONG, 4, "I")
    count_format = "Q" if is_big else "H"
    pieces = [segment for _, segments in pages for segment in segments]
    start = 16 if is_big else 8
    places = [start, *(start + int(end) for end in np.cumsum([len(piece) for piece in pieces], dtype=np.int64))]
    length = places.pop()

    def append(piece: bytes) -> int:
        """Add something behind the pixels, at an even place."""
        nonlocal length
        pieces.append(bytes(length % 2) + piece)
        at = length + length % 2
        length += len(pieces[-1])
        return at

    found = iter(places)
    links = []
    for tags, segments in pages:
        starts = [next(found) for _ in segments]
        entries = tags | {
            _OFFSETS[is_tiled]: numbers(offset_kind, starts, byteorder),
            _COUNTS[is_tiled]: numbers(offset_kind, [len(segment) for segment in segments], byteorder),
        }
        rows = []
        for code, (kind, count, value) in sorted(entries.items()):
            if len(value) > inline:
                value = struct.pack(byteorder + number, append(value))
            rows.append(struct.pack(f"{byteorder}HH{number}", code, kind, count) + value.ljust(inline, b"\0"))
        directory = struct.pack(byteorder + count_format, len(rows)) + b"".join(rows)
        links.append((append(directory), len(pieces)))
        pieces.append(b"")  # where the next directory lies, which is known below
        length += inline
    following = [place for place, _ in links[1:]] + [0]
    for (_, piece), place in zip(links, following, strict=True):
        pieces[piece] = struct.pack(byteorder + number, place)
    mark = b"II" if byteorder == "<" else b"MM"
    version = struct.pack(byteorder + "HHH", 43, 8, 0) if is_big else struct.pack(byteorder + "H", 42)
    return b"".join([mark, version, struct.pack(byteorder + number, links[0][0]), *pieces])
