"""Masks whose edge was feathered: hard ones that were smoothed a little, alike everywhere, and may be exact.

How soft an edge is tells the network how far to believe it. An edge that is narrow, and as wide everywhere, tells what
was done to a mask and not how sure anybody was of it: so the network sees the mask as it was before.
"""

import math

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.boxes.ids import strips
from spnrefine.boxes.where import above
from spnrefine.refiner.cell_pieces import find_pieces
from spnrefine.refiner.contour import SOFT_EDGE, edge_width, unsure
from spnrefine.refiner.edge_width import is_even

NARROW, NARROW_SHARE = 6.0, 0.05
"""An edge is narrow that is at most so many pixels wide, or such a share of the object's size."""
LOOKED_AT = 2048
"""Pixels a side: of larger masks a window is looked at."""


def without_feather(coarse: NDArray) -> NDArray:
    """Return the hard mask (H, W), bool, that was feathered; ``coarse`` itself where it is anything else.

    Parameters
    ----------
    coarse : (H, W) float32 in 0..1, or bool.
    """
    if coarse.dtype == np.bool_:
        return coarse
    inside, width = above(coarse, 0.5), edge_width(coarse)
    if not SOFT_EDGE < width <= max(NARROW, NARROW_SHARE * math.sqrt(np.count_nonzero(inside))):
        return coarse
    return inside if is_even(coarse[_window(coarse).slices]) and not find_pieces(coarse) else coarse


def _window(soft: NDArray[np.float32]) -> Box:
    """Return a box of at most :data:`LOOKED_AT` pixels a side around the middle one of all pixels of an edge."""
    height, width = soft.shape
    if max(height, width) <= LOOKED_AT:
        return Box(0, height, 0, width)
    rows = [rows.start + row for rows in strips(height, width) for row in np.flatnonzero(unsure(soft[rows]).any(1))]
    row = rows[len(rows) // 2]
    columns = np.flatnonzero(unsure(soft[row]))
    column, half = int(columns[len(columns) // 2]), LOOKED_AT // 2
    return Box(max(row - half, 0), min(row + half, height), max(column - half, 0), min(column + half, width))
