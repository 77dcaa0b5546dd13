"""How much of each part of a mask, or of an id of a label map, a refinement would change."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import bounding_box
from spnrefine.refiner.parts import nearest

NONE = 0


class TooMuch(NamedTuple):
    """The parts of which too much would change.

    ``pixels`` (H, W) bool, what would change of them; ``parts`` and ``all_parts``, how many parts these are, and of
    how many.
    """

    pixels: NDArray[np.bool_]
    parts: int
    all_parts: int


def changes_too_much(
    before: NDArray, after: NDArray, most: float, void: NDArray[np.bool_] | None = None
) -> TooMuch | None:
    """Find the parts of which more pixels change than ``most`` of their area; None where there are no parts.

    A pixel that changes counts for the part that it is taken from, and for the one that it is given to: of its new
    value, the nearest.

    Parameters
    ----------
    before, after : (H, W) bools, or ids of which 0 is the background. void : (H, W) bool, pixels that do not count.
    """
    counted = before if void is None else np.where(void, before.dtype.type(0), before)
    numbers, of_value = _numbered(counted)
    if not of_value:
        return None
    changed = before != after
    given = np.zeros(numbers.shape, np.int32)
    for value, own in of_value.items():
        gained = changed & (after == value)
        if gained.any():
            given[gained] = own[0] if len(own) == 1 else _nearest_of(numbers, own, gained)[gained]
    everyone = int(numbers.max())
    areas = np.bincount(numbers.ravel(), minlength=everyone + 1)
    changes = sum(np.bincount(side[changed], minlength=everyone + 1) for side in (numbers, given))
    over = changes > most * areas
    over[NONE] = False
    back = changed & (over[numbers] | over[given])
    return TooMuch(back, int(over.sum()), everyone)


def _numbered(ids: NDArray) -> tuple[NDArray[np.int32], dict[int, list[int]]]:
    """Number the 8-connected parts of each id from 1 on, (H, W), and list the numbers of each id's parts."""
    numbers, of_value, last = np.zeros(ids.shape, np.int32), {}, 0
    for value in np.unique(ids):
        box = bounding_box(ids == value) if value != 0 else None
        if box is None:
            continue
        count, own = cv2.connectedComponents((ids[box.slices] == value).astype(np.uint8), connectivity=8)
        here = numbers[box.slices]
        here[own > 0] = own[own > 0] + last
        of_value[int(value)] = [*range(last + 1, last + count)]
        last += count - 1
    return numbers, of_value


def _nearest_of(numbers: NDArray[np.int32], own: list[int], gained: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return for the pixels (H, W) that an id has gained the number of its nearest part."""
    theirs = (numbers >= own[0]) & (numbers <= own[-1])
    box = bounding_box(theirs | gained)
    assert box is not None
    found = np.zeros(numbers.shape, np.int32)
    found[box.slices] = nearest(np.where(theirs, numbers, NONE)[box.slices])
    return found
