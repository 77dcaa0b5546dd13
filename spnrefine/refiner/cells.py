"""The cells of a mask that came from a lower resolution and was enlarged: where they lie, what they hold.

Bilinear enlargement is linear between the middles of the cells and bends there alone, so the bends show the cells;
where pixels were repeated, the steps do.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.boxes.where import box_where
from spnrefine.refiner.cell_axis import Axis, axis_of
from spnrefine.refiner.contour import unsure

UNDECIDED = 0.02, 0.98  # a cell with a share of object between these has an edge in it
STRAY = 0.02  # of an edge's pixels, what may differ in a mask that is enlarged again
LINES_LOOKED_AT = 160  # of a mask
SAME = 2.5 / 255  # is a mask as it comes out when it is enlarged again


class Cells(NamedTuple):
    """The cells of a mask, and their values, (rows.number, columns.number) float32 in 0..1."""

    rows: Axis
    columns: Axis
    values: NDArray[np.float32]

    def within(self, box: Box) -> "Cells":
        """Return the cells that lie in a box, in part at least."""
        (rows, down), (columns, across) = self.rows.within(*box[:2]), self.columns.within(*box[2:])
        return Cells(rows, columns, self.values[down, across])

    def inside(self, box: Box) -> tuple[slice, slice]:
        """Return which cells these are, down and across."""
        return self.rows.within(*box[:2])[1], self.columns.within(*box[2:])[1]


def edges(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark the cells, of values (h, w), that have an edge in them."""
    return (values > UNDECIDED[0]) & (values < UNDECIDED[1])


def edges_for_each_crossing(values: NDArray[np.float32], axes: tuple[int, ...] = (0, 1)) -> float:
    """Return how many cells have an edge, for each two neighbours of which one is more object than not, and one less.

    Averages of a hard mask have some 0.9, of two by two pixels 0.5, those that were cut at a half few, soft ones many.
    """
    inside = values > 0.5
    crossed = sum(int(np.count_nonzero(np.diff(inside, axis=axis))) for axis in axes)
    return float(np.count_nonzero(edges(values)) / max(crossed, 1))


Enlarging = Callable[[Axis, NDArray[np.intp]], NDArray[np.float32]]


def find_cells(mask: NDArray[np.float32]) -> Cells | None:
    """Return the cells that a probability map (H, W) was enlarged of; None where it was not, or otherwise."""
    seen = box_where(unsure, mask)
    if seen is None:
        return None
    across, down = mask[evenly(seen.top, seen.bottom)], mask[:, evenly(seen.left, seen.right)].T
    for bends, enlarging in ((True, bilinear), (False, repeating)):
        columns = axis_of(across, bends=bends)
        rows = None if columns is None else axis_of(down, bends=bends)
        if columns is not None and rows is not None:
            cells = Cells(rows, columns, _values(mask, rows, columns, bends=bends))
            if _is_enlarged_of(mask, cells, enlarging):
                return cells
    return None


def bilinear(axis: Axis, pixels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the weights (len(pixels), number) by which pixels along an axis are taken from its cells."""
    at = np.clip((pixels + 0.5 - axis.first) / axis.cell - 0.5, 0, axis.number - 1)
    low = np.minimum(at.astype(np.intp), max(axis.number - 2, 0))
    weights = np.zeros((len(pixels), axis.number), np.float32)
    rows = np.arange(len(pixels))
    weights[rows, low] = 1 - (at - low)
    if axis.number > 1:
        weights[rows, low + 1] = at - low
    return weights


def repeating(axis: Axis, pixels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return such weights where each pixel takes the cell that its middle lies in."""
    at = np.clip((pixels + 0.5 - axis.first) / axis.cell, 0, axis.number - 1).astype(np.intp)
    return np.asarray(at[:, None] == np.arange(axis.number), np.float32)


def _values(mask: NDArray[np.float32], rows: Axis, columns: Axis, *, bends: bool) -> NDArray[np.float32]:
    if bends:
        return np.clip(_at_middles(_at_middles(mask, rows).T, columns).T, 0, 1).astype(np.float32)
    there = (np.clip(np.rint(axis.middles()), 0, axis.length - 1).astype(np.intp) for axis in (rows, columns))
    return np.array(mask[np.ix_(*there)], np.float32)


def evenly(start: int, stop: int, most: int = LINES_LOOKED_AT) -> NDArray[np.intp]:
    """Return numbers from ``start`` on, evenly spaced, all where they are few."""
    return np.unique(np.linspace(start, stop - 1, most).astype(np.intp))


def _at_middles(mask: NDArray[np.float32], axis: Axis) -> NDArray[np.float32]:
    """Return the values (number, W) of a mask (H, W), linear between middles, at those of the cells along its rows.

    A middle between two pixels is on the straight lines through those on its left and those on its right; one that
    lies outside is on the nearer of them.
    """
    last = axis.length - 1
    at = axis.middles()
    left, right = (np.clip(one(at), 0, last).astype(np.intp) for one in (np.floor, np.ceil))
    from_left = _on_line(mask, at, left, np.maximum(left - 1, 0))
    from_right = _on_line(mask, at, right, np.minimum(right + 1, last))
    outside = (at < 0)[:, None], (at > last)[:, None]
    return np.select(outside, (from_right, from_left), (from_left + from_right) / 2).astype(np.float32)


def _on_line(
    mask: NDArray[np.float32], at: NDArray[np.floating], near: NDArray[np.intp], far: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return what lies ``at`` some rows' positions, on the straight lines through rows ``near`` and ``far`` of them."""
    return mask[near] + np.abs(at - near)[:, None].astype(np.float32) * (mask[near] - mask[far])


def _is_enlarged_of(mask: NDArray[np.float32], cells: Cells, enlarging: Enlarging) -> bool:
    """Tell whether cells give the mask again where it has an edge, by some of its rows.

    Of a part of a mask, what lies outside of the first or last middle may come from cells outside.
    """
    rows, columns = evenly(*_known(cells.rows)), np.arange(*_known(cells.columns))
    here = mask[np.ix_(rows, columns)]
    edge = unsure(here)
    again = enlarging(cells.rows, rows) @ cells.values @ enlarging(cells.columns, columns).T
    return bool((np.abs(again - here)[edge] <= SAME).mean() > 1 - STRAY) if edge.any() else False


def _known(axis: Axis) -> tuple[int, int]:
    """Return the first pixel that depends on no cell outside, and the one after the last."""
    if axis.first == 0 and math.isclose(axis.number * axis.cell, axis.length):
        return 0, axis.length
    inside = [middle for middle in axis.middles().tolist() if 0 <= middle <= axis.length - 1]
    return math.ceil(inside[0]), math.floor(inside[-1]) + 1
