"""The eight orientations of EXIF: how a stored picture is turned to stand upright, and back."""

import numpy as np

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
