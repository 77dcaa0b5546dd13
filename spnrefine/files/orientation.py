"""The eight orientations of EXIF: how a stored picture is turned to stand upright, and back."""

import numpy as np

from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed

UPRIGHT = 1
_UNDONE_BY = {6: 8, 8: 6}  # every other one undoes itself


def turn(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a stored (H, W, ...) array upright; a view. Orientations 5 to 8 exchange height and width.

    Source: Exif 2.32, tag 0x0112 (Orientation). Values outside 1..8 count as 1.
    """
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return array


def turn_back(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an upright (H, W, ...) array back to how it was stored; a view."""
    return turn(array, _UNDONE_BY.get(orientation, orientation))


def turn_boxed(mask: Boxed, orientation: int) -> Boxed:
    """Turn a mask of a stored picture upright, along with the picture."""
    height, width = mask.size
    top, bottom, left, right = mask.box
    if orientation in (5, 6, 7, 8):
        height, width, top, bottom, left, right = width, height, left, right, top, bottom
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    pixels = np.ascontiguousarray(turn(mask.pixels, orientation))
    return Boxed((height, width), Box(top, bottom, left, right), pixels)


def turn_boxed_back(mask: Boxed, orientation: int) -> Boxed:
    """Turn a mask of an upright picture back to how that was stored."""
    return turn_boxed(mask, _UNDONE_BY.get(orientation, orientation))
