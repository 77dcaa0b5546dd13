"""Masks as runs of pixels, counted along the rows of the whole picture or down its columns, and back into boxes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed

Places = NDArray[np.int64]


def from_runs(begins: Places, ends: Places, size: tuple[int, int], *, by_columns: bool = False) -> Boxed:
    """Return the mask that is set from each of ``begins`` up to its end.

    Parameters
    ----------
    begins, ends : (N,) places in a picture of ``size`` (H, W), rising, no run empty; exclusive ends.
    by_columns : the places count down the columns, not along the rows.
    """
    if not len(begins):
        return Boxed.nothing(size)
    length = size[0] if by_columns else size[1]
    first, last = int(begins[0]) // length, (int(ends[-1]) - 1) // length + 1
    line, start = np.divmod(begins, length)
    end_line, end = np.divmod(ends - 1, length)
    end += 1
    low, high = (int(start.min()), int(end.max())) if (line == end_line).all() else (0, length)
    wide = high - low
    bounds = np.empty(2 * len(begins) + 1, np.int64)
    bounds[:-1:2] = (line - first) * wide + start - low
    bounds[1::2] = (end_line - first) * wide + end - low
    bounds[-1] = (last - first) * wide
    values = np.zeros(len(bounds), np.bool_)
    values[1::2] = True
    pixels = np.repeat(values, np.diff(bounds, prepend=0)).reshape(last - first, wide)
    if by_columns:
        return Boxed(size, Box(low, high, first, last), np.ascontiguousarray(pixels.T))
    return Boxed(size, Box(first, last, low, high), pixels)


def runs_of(mask: Boxed, *, by_columns: bool = False) -> Places:
    """Measure the runs of the whole picture, alternately outside and inside the mask; the first may be 0."""
    height, width = mask.size
    length = height if by_columns else width
    pixels: NDArray[Any] = mask.pixels.T if by_columns else mask.pixels
    box = Box(*mask.box[2:], *mask.box[:2]) if by_columns else mask.box
    if not pixels.any():
        return np.array([height * width], np.int64)
    lined = np.zeros((box.height, box.width + 2), np.int8)  # a pixel of none around each line parts it from the next
    lined[:, 1:-1] = pixels
    steps = np.diff(lined, axis=1)
    begins, ends = (
        (box.top + line) * length + box.left + place for line, place in map(np.nonzero, (steps > 0, steps < 0))
    )
    apart = np.flatnonzero(begins[1:] != ends[:-1])  # a run that goes on in the next line is one
    begins, ends = begins[np.concatenate([[0], apart + 1])], ends[np.append(apart, len(ends) - 1)]
    runs = np.diff(np.stack([begins, ends], 1).ravel(), prepend=0)
    rest = height * width - int(ends[-1])
    return np.append(runs, rest) if rest else runs
