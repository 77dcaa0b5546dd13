"""Move a contour without making or losing a part or a hole.

A pixel is simple when flipping it changes neither the number of 8-connected parts nor of 4-connected holes; that shows
in its eight neighbours. Bertrand and Malandain, "A new characterization of three-dimensional simple points", 1994,
sec. 2. Flipping one simple pixel after another never changes the topology.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from spnrefine.simd.compiling import kernel

RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""The neighbours (row, column), clockwise; those at odd places share a side with the pixel."""

BACKGROUND = 0


def keep_topology(before: NDArray[np.integer], after: NDArray[np.integer]) -> NDArray[np.integer]:
    """Go from ``before`` as far towards ``after``, both (H, W) ids, as the topology of every id allows.

    Every id but 0 keeps its number of parts and holes; outside the image lies background.
    """
    current = np.pad(before.astype(np.int64), 1)
    wanted = np.pad(after.astype(np.int64), 1)
    changed = np.argwhere(current != wanted)
    _deform(current, wanted, changed, _simple_rings(), np.array(RING))
    return current[1:-1, 1:-1].astype(before.dtype)


@cache
def _simple_rings() -> NDArray[np.bool_]:
    """Say for each of the 256 rings of neighbours whether the pixel in its middle is simple."""
    return np.array([_is_simple([bool(ring >> i & 1) for i in range(8)]) for ring in range(256)])


def _is_simple(inside: list[bool]) -> bool:
    # parts of the object that touch each other round the ring; a corner joins its sides, sides join round a corner
    parts = _groups([i for i in range(8) if inside[i]], diagonal=True)
    # parts of the rest, which touch by sides alone and count where they share a side with the pixel
    rest = [
        group for group in _groups([i for i in range(8) if not inside[i]], diagonal=False) if any(i % 2 for i in group)
    ]
    return len(parts) == len(rest) == 1


def _groups(places: list[int], *, diagonal: bool) -> list[set[int]]:
    groups: list[set[int]] = []
    for place in places:
        joined = {place}
        for group in [group for group in groups if any(_touch(place, other, diagonal) for other in group)]:
            joined |= group
            groups.remove(group)
        groups.append(joined)
    return groups


def _touch(one: int, other: int, diagonal: bool) -> bool:
    rows, columns = (abs(a - b) for a, b in zip(RING[one], RING[other], strict=True))
    return max(rows, columns) == 1 if diagonal else rows + columns == 1


@kernel
def _deform(current, wanted, changed, simple, ring):
    """Flip pixels of ``current`` at the rows of ``changed``, where that is simple, until none is left to flip."""
    moved = True
    while moved:
        moved = False
        for i in range(len(changed)):
            row, column = changed[i]
            old, new = current[row, column], wanted[row, column]
            if old == new:
                continue
            around_old, around_new = 0, 0
            for k in range(8):
                value = current[row + ring[k, 0], column + ring[k, 1]]
                around_old |= (value == old) << k
                around_new |= (value == new) << k
            if (old == BACKGROUND or simple[around_old]) and (new == BACKGROUND or simple[around_new]):
                current[row, column] = new
                moved = True
