"""How large files and pictures may be, told from headers before anything is decoded.

All limits grow with one number, the pixels that a picture may have: `max_pixels`. Who has larger pictures, and the
memory for them, raises it by --max-megapixels, the variable SPNREFINE_MAX_MEGAPIXELS, or `set_max_pixels`.
"""

import os
from enum import Enum

from spnrefine.errors import FileError, SpnRefineError

MEGA = 10**6
MEGAPIXELS = 250
"""By default: 200-megapixel cameras pass, a bomb does not."""
VARIABLE = "SPNREFINE_MAX_MEGAPIXELS"
CURE = "make it smaller, or raise --max-megapixels"

MAX_PAGES = 1000
"""Of a TIFF; counting goes no further, whatever follows."""

_given: dict[str, int] = {}  # of the process: files are read in many threads, which all have the same limits


class Content(Enum):
    """What a file is read as; the value is how many bytes it may have for each pixel that a picture may have."""

    PICTURE = 16  # RGBA of 32-bit floats, or two planes of 64 bits, without compression
    TEXT = 8  # annotations: those of the largest public sets have half of this
    SMALL = 0.05  # lists of classes, settings


def max_pixels() -> int:
    """How many pixels a picture or a plane of a stack may have.

    Raises
    ------
    SpnRefineError
        The variable holds no number.
    """
    if "pixels" in _given:
        return _given["pixels"]
    value = os.environ.get(VARIABLE, "").strip()
    if not value:
        return MEGAPIXELS * MEGA
    if not (value.isascii() and value.isdigit() and int(value[:9]) > 0):
        raise SpnRefineError(f"{VARIABLE} was {value!r}: expected a whole number of megapixels from 1 on.")
    return int(value[:9]) * MEGA


def set_max_pixels(pixels: int | None) -> None:
    """Let pictures have at most ``pixels``, for the whole process; None goes back to the variable or the default."""
    _given.pop("pixels", None)
    if pixels is not None:
        _given["pixels"] = pixels


def max_bytes(content: Content) -> int:
    """How many bytes a file of a kind may have."""
    return int(content.value * max_pixels())


def max_values() -> int:
    """How many numbers all planes of a stack may have."""
    return 4 * max_pixels()


def max_array_bytes() -> int:
    """How many bytes all arrays of a file may have, decompressed."""
    return 8 * max_pixels()


def check_pixels(width: int, height: int, name: str) -> None:
    """Refuse a picture of more than `max_pixels`.

    Raises
    ------
    FileError
        It has more.
    """
    if width * height > max_pixels():
        most = f"at most {max_pixels() / MEGA:g} million are read"
        raise FileError(f"{name} has {width} x {height} pixels, and {most}: {CURE}.")


def check_bytes(size: int, content: Content, name: str) -> None:
    """Refuse a file of more bytes than its kind may have.

    Raises
    ------
    FileError
        It has more.
    """
    if size > max_bytes(content):
        most = f"at most {max_bytes(content) / MEGA:g} MB are read"
        raise FileError(f"{name} has {size / MEGA:.0f} MB or more, and {most}: {CURE}.")
