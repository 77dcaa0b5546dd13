"""How far one contour lies from another: at the cost of their lengths, not of the picture's area."""

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import strips
from spnrefine.refiner.contour import contour, contour_distance

FAR = 0xFFFFFF  # a difference of columns beyond any within a row; its square is exact in float64


def contour_shift(before: NDArray, after: NDArray) -> NDArray[np.float32]:
    """Return how far each pixel of the contour of ``after`` lies from the contour of ``before``, in pixels.

    Parameters
    ----------
    before, after : (H, W) bools or ids.

    Returns
    -------
    (N,) float32, 1 for a pixel on it, in the order of rows; infinite where ``before`` has no contour.
    """
    height, width = before.shape
    pixels, line = _places(after), _places(before)
    if not len(line):
        return np.full(len(pixels), np.inf, np.float32)
    nearest = _squares(pixels, line, width, most_looks=height * width)
    if nearest is None:  # so many so far apart that all distances are had sooner
        return np.asarray(contour_distance(before).ravel()[pixels], np.float32)
    return np.sqrt(nearest.astype(np.float32)) + np.float32(1)


def near_contour(labels: NDArray, pixels: int) -> NDArray[np.bool_]:
    """Mark what lies at most ``pixels`` from the contour of bools or ids (H, W), 1 being the contour itself."""
    reach = np.arange(1 - pixels, pixels)
    disc = (reach**2 + reach[:, None] ** 2 <= (pixels - 1) ** 2).astype(np.uint8)
    return np.asarray(cv2.dilate(contour(labels).view(np.uint8), disc).view(np.bool_))


def _places(labels: NDArray) -> NDArray[np.int64]:
    """Return where the contour lies, counted along rows, in rising order."""
    height, width = labels.shape
    found = []
    for rows in strips(height, width):
        top = max(rows.start - 1, 0)
        marked = contour(labels[top : rows.stop + 1])[rows.start - top : rows.stop - top]
        found.append(np.flatnonzero(marked) + rows.start * width)
    return np.concatenate(found)


def _squares(
    pixels: NDArray[np.int64], line: NDArray[np.int64], width: int, most_looks: int
) -> NDArray[np.int64] | None:
    """Return the squared distance of each pixel to the nearest of a line; None if ``most_looks`` do not suffice.

    Of each row, nearer ones first, a pixel looks at the line's nearest on either side, until none could be nearer.
    """
    stride = 2 * FAR  # between rows, so that what lies in another one is never taken for near
    (row, column), (line_row, line_column) = np.divmod(pixels, width), np.divmod(line, width)
    ends = np.array([-stride * stride]), np.array([stride * (int(max(line_row[-1], row.max(initial=0))) + stride)])
    there = np.concatenate([ends[0], line_row * stride + line_column, ends[1]])
    best = np.full(len(pixels), np.iinfo(np.int64).max)
    left, away, looks = np.arange(len(pixels)), 0, 0
    while len(left):
        for step in {away, -away}:
            looks += len(left)
            if looks > most_looks:
                return None
            here = (row[left] + step) * stride + column[left]
            after = np.searchsorted(there, here)
            across = np.minimum(np.minimum(there[after] - here, here - there[after - 1]), FAR)
            best[left] = np.minimum(best[left], across**2 + away**2)
        away += 1
        left = left[best[left] > away**2]
    return best
