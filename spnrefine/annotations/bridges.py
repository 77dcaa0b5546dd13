"""Join the rings of parts and holes into one ring, for formats that have one polygon an object.

A bridge is a line there and back between the nearest vertices of two rings. Filled even-odd by pixel centres
(`Grid.CORNERS`: COCO, CVAT, Label Studio), it takes no pixel: nothing is lost. Where the line's own pixels count
(`Grid.CENTRES`: LabelMe, YOLO), a bridge adds a line one pixel wide between two parts, and likewise across the gap
between two holes' rims; within the mask it adds nothing. What is lost in every format is that parts were apart.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.polygons import Part, Ring

_AT_ONCE = 256  # vertices of a ring compared with all others at a time


def join(parts: list[Part]) -> Ring:
    """Join all outlines and holes of ``parts`` into one ring, by the shortest bridges found."""
    rings = [ring for part in parts for ring in part.rings]
    points = np.concatenate(rings)
    starts = np.concatenate([[0], np.cumsum([len(ring) for ring in rings])])
    return points[_walk(_attach(points, starts), starts)]


def _attach(points: Ring, starts: NDArray[np.int64]) -> dict[int, list[int]]:
    """Grow a tree of rings from the first, the nearest next: vertex to the vertices at which others hang on to it."""
    owner = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    distance = np.full(len(points), np.inf)  # of vertices that are not in the tree, to the nearest that is
    nearest = np.zeros(len(points), np.int64)
    waiting = np.ones(len(points), np.bool_)
    hanging: dict[int, list[int]] = {}
    across, down = points[:, 0].copy(), points[:, 1].copy()
    ring = 0
    for _ in range(len(starts) - 2):
        waiting[starts[ring] : starts[ring + 1]] = False
        others = np.flatnonzero(waiting)
        for begin in range(starts[ring], starts[ring + 1], _AT_ONCE):
            some = slice(begin, min(begin + _AT_ONCE, starts[ring + 1]))
            squares = (across[others, None] - across[some]) ** 2
            squares += (down[others, None] - down[some]) ** 2
            best = squares.argmin(axis=1)
            least = squares[np.arange(len(others)), best]
            closer = least < distance[others]
            distance[others[closer]] = least[closer]
            nearest[others[closer]] = begin + best[closer]
        chosen = int(others[distance[others].argmin()])
        hanging.setdefault(int(nearest[chosen]), []).append(chosen)
        ring = int(owner[chosen])
    return hanging


def _walk(hanging: dict[int, list[int]], starts: NDArray[np.int64]) -> list[int]:
    """Walk around the first ring, and at each vertex around the rings that hang on to it and back."""
    order: list[int] = []
    stack: list[tuple[Iterator[int], int | None]] = [(iter(range(int(starts[1]))), None)]
    while stack:
        around, back = stack[-1]
        vertex = next(around, None)
        if vertex is None:
            stack.pop()
            order += [] if back is None else [back]
            continue
        order.append(vertex)
        stack += [(_around(entry, starts), vertex) for entry in hanging.pop(vertex, [])]
    return order


def _around(entry: int, starts: NDArray[np.int64]) -> Iterator[int]:
    ring = int(np.searchsorted(starts, entry, side="right")) - 1
    first, end = int(starts[ring]), int(starts[ring + 1])
    return iter([*range(entry, end), *range(first, entry), entry])
