"""Stray levels: what JPEG leaves beside the edges of a hard mask, and no soft mask has.

JPEG codes squares of 8 x 8 pixels each by itself (ITU-T T.81, 1992), so that levels stray only in those squares that an
edge goes through; and it keeps the edge steep, so that few pixels are left undecided.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import strips

SQUARE = 8
FLAT = 5
"""Levels by which those of a square without an edge may differ from 0 or 255."""
UNDECIDED = 51, 204  # of 255: levels that a stray one does not reach
LEVELS = 8
"""So many different levels stray, at least: fewer were chosen by somebody."""
MOST_UNDECIDED = 0.3
"""Undecided pixels for each two neighbours on different sides: a hard mask in JPEG of quality 50 has 0.05, of 30 up
to 0.2; soft edges, and edges that were smoothed as they were drawn, have more."""


def strays_from_hard(levels: NDArray[np.uint8]) -> bool:
    """Tell whether a mask's levels (H, W) are those of a hard one, 0 and 255, that was in a JPEG in between."""
    height, width = levels.shape
    undecided = crossings = 0
    found = np.zeros(256, np.bool_)
    for rows in strips(-(-height // SQUARE), width * SQUARE):  # whole squares
        seen = levels[rows.start * SQUARE : rows.stop * SQUARE]
        if not _only_beside_edges(seen):
            return False
        found |= cv2.calcHist([np.ascontiguousarray(seen)], [0], None, [256], [0, 256]).ravel() > 0
        inside = levels[rows.start * SQUARE : rows.stop * SQUARE + 1] > 127
        undecided += int(np.count_nonzero((seen > UNDECIDED[0]) & (seen < UNDECIDED[1])))
        crossings += int(np.count_nonzero(inside[1:] != inside[:-1]))
        crossings += int(np.count_nonzero(inside[: len(seen), 1:] != inside[: len(seen), :-1]))
    return int(found[1:-1].sum()) >= LEVELS and undecided <= MOST_UNDECIDED * crossings


def _only_beside_edges(levels: NDArray[np.uint8]) -> bool:
    """Tell whether all levels but 0 and 255, or nearly so, lie in squares that hold both sides."""
    height, width = levels.shape
    whole = np.pad(levels, ((0, -height % SQUARE), (0, -width % SQUARE)), mode="edge")
    squares = whole.reshape(len(whole) // SQUARE, SQUARE, -1, SQUARE)
    low, high = squares.min((1, 3)), squares.max((1, 3))
    one_side = (low > 127) == (high > 127)
    return not bool((one_side & np.where(low > 127, low < 255 - FLAT, high > FLAT)).any())
