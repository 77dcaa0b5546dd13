"""Masks that came from a lower resolution as blocks: their stairs are no edges, and are smoothed before refining."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import STRIP, strips
from spnrefine.boxes.where import any_where

LEAST_LINES = 6  # where a mask changes, in each direction: of fewer, a rectangle's or a cross's, nothing can be told
LEAST_SHARE = 0.5  # of the rows of blocks at which it changes: right angles change at few, enlarged curves at most
LEAST_BLOCK = 3  # pixels
OFF = 0.75  # pixels by which a line may lie off its place: blocks of 7.5 pixels have 7 and 8 in turn
SMOOTH = 0.375  # standard deviation of the smoothing, in blocks


def block_size(mask: NDArray, known: NDArray[np.bool_] | None = None) -> int:
    """Return the side in pixels of the blocks that a mask or label map (H, W) is made of; 1 if of single pixels.

    A mask that was enlarged by repeating pixels changes only at rows and columns that are multiples of a block apart,
    and at most of these. The edge of one that was drawn or computed at its own resolution steps from one row to the
    next somewhere; right angles lie at a few rows and columns, wherever they like. Pixels that are not ``known``,
    (H, W) bool, do not count.
    """
    down = _spacing(_changes(mask, known))
    return 1 if down == 1 else min(down, _spacing(_changes_across(mask, known)))


def without_blocks(mask: NDArray, size: int | None = None) -> NDArray:
    """Return a mask as it would be had it been enlarged smoothly, (H, W) float32; itself where it has no blocks.

    ``mask`` (H, W) holds bools or float32 in 0..1, ``size`` is that of the blocks where it is known; else
    :func:`block_size` finds it. A large mask is looked at some rows at a time: of the whole only the result is made.
    """
    size = block_size(mask) if size is None else size
    if size < LEAST_BLOCK:
        return mask
    smooth = _smoothed(mask, SMOOTH * size)
    return smooth if any_where(lambda one, other: (one > 0.5) != (other > 0.5), smooth, mask) else mask


def _smoothed(mask: NDArray, deviation: float) -> NDArray[np.float32]:
    """Return a mask (H, W) smoothed by a Gaussian of this standard deviation in pixels, the same rows by rows."""
    smooth = np.empty(mask.shape, np.float32)
    reach = math.ceil(4 * deviation) + 1  # OpenCV's kernel for floats ends at 4 deviations, rounded
    height, width = mask.shape
    for rows in strips(height, min(width, max(1, STRIP // (4 * reach)))):  # of 4 times what they need of others
        first = max(rows.start - reach, 0)
        seen = np.asarray(mask[first : rows.stop + reach], np.float32)
        blurred = cv2.GaussianBlur(seen, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)
        smooth[rows] = blurred[rows.start - first : rows.stop - first]
    return smooth


def _changes(mask: NDArray, known: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Tell of each row but the first whether it differs from the one before anywhere."""
    found = []
    for rows in strips(len(mask) - 1, mask.shape[1]):
        following = slice(rows.start + 1, rows.stop + 1)
        differ = mask[following] != mask[rows]
        if known is not None:
            differ &= known[following] & known[rows]
        found.append(differ.any(axis=1))
    return np.concatenate(found) if found else np.zeros(0, np.bool_)


def _changes_across(mask: NDArray, known: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Tell likewise of each column."""
    found = np.zeros(max(mask.shape[1] - 1, 0), np.bool_)
    for rows in strips(*mask.shape):
        differ = mask[rows, 1:] != mask[rows, :-1]
        if known is not None:
            differ &= known[rows, 1:] & known[rows, :-1]
        found |= differ.any(axis=0)
    return found


def _spacing(changes: NDArray[np.bool_]) -> int:
    """Return the spacing of a lattice at most of whose lines, and nowhere else, there are changes; else 1."""
    lines = np.flatnonzero(changes)
    if len(lines) < LEAST_LINES:
        return 1
    gaps = np.diff(lines)
    spacing = float(gaps[gaps < 1.5 * gaps.min()].mean())
    if gaps.min() < LEAST_BLOCK:
        return 1
    places = np.rint((lines - lines[0]) / spacing)
    spacing, first = np.polyfit(places, lines, 1)
    off = np.abs(first + spacing * places - lines).max()
    return round(spacing) if off <= OFF and len(lines) >= LEAST_SHARE * (places[-1] + 1) else 1
