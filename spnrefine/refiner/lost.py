"""No id of a label map is lost when its pixels are given to others."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.boxes.ids import BACKGROUND, find_ids, strips


def restore_lost(
    before: NDArray[np.integer], after: NDArray[np.integer], outside: NDArray[np.bool_] | None = None
) -> NDArray[np.integer]:
    """Give ids that are in ``before`` and no longer in ``after`` all their pixels back, in place.

    These may have been the last pixels of another id, which then gets its own back too. No pixel is given back twice,
    for each had one id; so this comes to an end.

    Parameters
    ----------
    before, after : (H, W) ids.
    outside : (H, W) bool, pixels that count for no id; or None.

    Returns
    -------
    ``after``, which holds every id of ``before``.
    """
    known = list(_places(before, outside))
    while True:
        there = {number for number, _ in _places(after, outside)}
        lost = [(number, box) for number, box in known if number not in there]
        if not lost:
            return after
        for number, box in lost:
            here = box.slices
            back = before[here] == number
            if outside is not None:
                back &= ~outside[here]
            after[here][back] = number


def _places(labels: NDArray[np.integer], outside: NDArray[np.bool_] | None) -> Iterator[tuple[int, Box]]:
    """Yield the ids of a map and the box of each, the background's too, which is the whole."""
    height, width = labels.shape
    for rows in strips(height, width):
        background = labels[rows] == BACKGROUND
        if outside is not None:
            background &= ~outside[rows]
        if background.any():
            yield BACKGROUND, Box(0, height, 0, width)
            break
    ids, boxes = find_ids(labels, outside)
    yield from zip(ids.tolist(), boxes, strict=True)
