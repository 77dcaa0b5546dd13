"""Masks that came from a lower resolution as blocks: their stairs are no edges, and are smoothed before refining."""

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_LINES = 4  # where a mask changes, in each direction: of fewer, a rectangle's, nothing can be told
LEAST_BLOCK = 3  # pixels
SMOOTH = 0.375  # standard deviation of the smoothing, in blocks


def block_size(mask: NDArray, known: NDArray[np.bool_] | None = None) -> int:
    """Return the side in pixels of the blocks that a mask or label map (H, W) is made of; 1 if of single pixels.

    The edge of a mask that was drawn or computed at its own resolution steps from one row to the next somewhere. One
    that was enlarged by repeating pixels only changes at rows and columns a block apart. Pixels that are not ``known``,
    (H, W) bool, do not count.
    """
    rows, columns = mask[1:] != mask[:-1], mask[:, 1:] != mask[:, :-1]
    if known is not None:
        rows &= known[1:] & known[:-1]
        columns &= known[:, 1:] & known[:, :-1]
    return min(_least_gap(rows.any(1)), _least_gap(columns.any(0)))


def without_blocks(mask: NDArray[np.float32], size: int | None = None) -> NDArray[np.float32]:
    """Return a probability map (H, W) as it would be had it been enlarged smoothly; itself where it has no blocks.

    ``size`` is that of the blocks where it is known, else :func:`block_size` finds it.
    """
    size = block_size(mask) if size is None else size
    if size < LEAST_BLOCK:
        return mask
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), SMOOTH * size, borderType=cv2.BORDER_REPLICATE), np.float32)


def _least_gap(changes: NDArray[np.bool_]) -> int:
    lines = np.flatnonzero(changes)
    return int(np.diff(lines).min()) if len(lines) >= LEAST_LINES else 1
