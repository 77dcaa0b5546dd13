"""Numbers of PGM and PPM files as they are stored: Pillow spreads those with a white of their own over 8 or 16 bits."""

import re

import numpy as np

# What may stand between the words of a header, comments too, and the words: magic number, width, height, white.
_GAP = rb"(?:\s|#[^\r\n]*[\r\n])+"
_HEADER = re.compile(rb"P[2356]" + _GAP + rb"\d+" + _GAP + rb"\d+" + _GAP + rb"(\d+)")


def white_of(data: bytes) -> int | None:
    """Return the number that is white in a PGM or PPM file, given its bytes; None in bitmaps and other files."""
    found = _HEADER.match(data)
    return int(found[1]) if found else None


def as_stored(pixels: np.ndarray, white: int) -> np.ndarray:
    """Undo Pillow's spreading, which is without loss as there are never fewer levels than before it.

    Parameters
    ----------
    pixels : integers of any shape, as Pillow gives them: from 0 to 255 where ``white`` is below 256, else to 65535.
    white : the file's own white, 1 to 65535.

    Returns
    -------
    uint8 or uint16 array of the same shape, from 0 to ``white``.
    """
    top = 255 if white < 256 else 65535
    return np.round(pixels * (white / top)).astype(np.uint8 if white < 256 else np.uint16)
