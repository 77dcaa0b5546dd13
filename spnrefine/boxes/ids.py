"""The ids of a label map, and the box of each, in one walk over the map."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box

BACKGROUND = 0
STRIP = 1 << 20  # pixels looked at together: what is held beside the map is no more than a few bytes for each


def strips(height: int, width: int) -> Iterator[slice]:
    """Cut the rows of a picture into pieces, for work on each pixel that needs memory beside it."""
    step = max(1, STRIP // max(width, 1))
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def find_ids(labels: NDArray[Any], void: NDArray[np.bool_] | None = None) -> tuple[NDArray[Any], list[Box]]:
    """Return the ids of a label map (H, W) in rising order, and the box of each; 0, the background, is none.

    ``void`` (H, W) bool are pixels that do not count.
    """
    found = [
        _in_strip(labels[rows], None if void is None else void[rows], rows.start)
        for rows in strips(labels.shape[0], labels.shape[1])
    ]
    ids, boxes = _grouped(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    return ids, [Box(*(int(side) for side in box)) for box in boxes]


def _in_strip(labels: NDArray[Any], void: NDArray[np.bool_] | None, top: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the ids and boxes of some rows, of which the first is row ``top`` of the map."""
    if void is not None:
        labels = np.where(void, BACKGROUND, labels).astype(labels.dtype)
    width = labels.shape[1]
    begins = np.ones(labels.shape, np.bool_)  # of runs of one id along a row
    np.not_equal(labels[:, 1:], labels[:, :-1], out=begins[:, 1:])
    places = np.flatnonzero(begins)
    ids = labels.ravel()[places]
    row, left = np.divmod(places, width)
    right = np.append(places[1:], labels.size) - row * width
    row += top
    here = ids != BACKGROUND
    return _grouped(ids[here], np.stack([row, row + 1, left, right], 1)[here])


def _grouped(ids: NDArray[Any], boxes: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Put together the boxes (N, 4) of equal ids (N,)."""
    if not len(ids):
        return ids, boxes
    order = np.argsort(ids, kind="stable")
    ids, boxes = ids[order], boxes[order]
    first = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    sides = [
        reduce.reduceat(side, first)
        for reduce, side in zip((np.minimum, np.maximum, np.minimum, np.maximum), boxes.T, strict=True)
    ]
    return ids[first], np.stack(sides, 1)
