"""The cells of a mask that came from a lower resolution and was enlarged: where they lie, what they hold.

Bilinear enlargement is linear between the middles of the cells and bends there alone, so the bends show the cells;
where pixels were repeated, the steps do.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.where import box_where
from spnrefine.refiner.contour import unsure

BEND = 2.5 / 255
"""A second difference that rounding to eight bits cannot make: each of its four parts is a half off at most."""
WEAK = 0.05  # of the strongest bend, or of the one beside it: such as rounding twice may make here and there
LEAST_CELL = 2.5  # pixels: of smaller cells each pixel may be a middle
LEAST_PLACES = 4  # along each axis: of fewer nothing can be told
OFF, FARTHEST_OFF = 0.3, 1.0  # pixels by which places lie off the regular ones: on average, at most
TOGETHER = 2  # pixels that a bend is spread over: those on either side of a cell's middle
STRAY = 0.02  # of all that bends, what may lie elsewhere
STRIDES = 1, 4, 16  # pixels: of these every so many are looked at, until bends are found
LINES_LOOKED_AT = 160  # of a mask
SAME = 2.5 / 255  # is a mask as it comes out when it is enlarged again


class Axis(NamedTuple):
    """Cells along one axis of ``length`` pixels: how many, the side of one, and where the first begins, in pixels."""

    length: int
    number: int
    cell: float
    first: float

    def edges(self) -> NDArray[np.floating]:
        """Return where cells begin and end within the mask, (number + 1,): 0 is where the first pixel begins."""
        return np.asarray(np.clip(self.first + self.cell * np.arange(self.number + 1), 0, self.length))

    def middles(self) -> NDArray[np.floating]:
        """Return the middle of each cell, (number,) as a pixel's position: 0 is the middle of the first pixel."""
        return self.first + self.cell * (np.arange(self.number) + 0.5) - 0.5


class Cells(NamedTuple):
    """The cells of a mask, and their values, (rows.number, columns.number) float32 in 0..1."""

    rows: Axis
    columns: Axis
    values: NDArray[np.float32]


Enlarging = Callable[[Axis, NDArray[np.intp]], NDArray[np.float32]]


def find_cells(mask: NDArray[np.float32]) -> Cells | None:
    """Return the cells that a probability map (H, W) was enlarged of; None where it was not, or otherwise."""
    seen = box_where(unsure, mask)
    if seen is None:
        return None
    across, down = mask[evenly(seen.top, seen.bottom)], mask[:, evenly(seen.left, seen.right)].T
    for bends, enlarging in ((True, bilinear), (False, repeating)):
        columns = _axis(across, bends=bends)
        rows = None if columns is None else _axis(down, bends=bends)
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


def _steps(lines: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sum over lines of a mask, (n, length), by how much they step from each pixel to the next; (length,)."""
    return np.append(np.abs(np.diff(lines, axis=1)).sum(axis=0, dtype=np.float64), 0)


def _bends(lines: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sum likewise by how much they bend at each pixel."""
    total = np.zeros(lines.shape[1])
    if len(total) >= 3:
        bends = np.abs(np.diff(lines, 2, axis=1))
        total[1:-1] = np.sum(bends, axis=0, where=bends >= BEND, dtype=np.float64)
        beside = np.maximum(total[:-2], total[2:])
        total[1:-1][total[1:-1] < WEAK * beside] = 0
    return total


def evenly(start: int, stop: int, most: int = LINES_LOOKED_AT) -> NDArray[np.intp]:
    """Return numbers from ``start`` on, evenly spaced, all where they are few."""
    return np.unique(np.linspace(start, stop - 1, most).astype(np.intp))


def _axis(lines: NDArray[np.float32], *, bends: bool) -> Axis | None:
    """Return the cells along lines of a mask, (n, length), at whose middles, and nowhere else, they bend, or else step.

    Where every pixel is looked at, cells of more than some 40 pixels bend less than rounding may.
    """
    length = lines.shape[1]
    if not bends:
        found = _places(_steps(lines), 1)
        return None if found is None else _regular(found[0] + 0.5, found[1], length, 1, 0.0)
    for stride in STRIDES:
        found = _places(_bends(lines[:, ::stride]), TOGETHER)
        if found is not None:
            return _regular(found[0] * stride, found[1], length, stride, 0.5)
    return None


def _regular(
    places: NDArray[np.float64], weights: NDArray[np.float64], length: int, stride: int, at: float
) -> Axis | None:
    """Return the cells along ``length`` pixels of which these places, pixels' positions, are what lies ``at``: a share.

    They were found at every ``stride`` pixels; 0 is where a cell begins, a half its middle.
    """
    gaps = np.diff(places)
    cell = float(gaps[gaps < 1.5 * gaps.min()].mean())
    for _ in range(2):  # far places are numbered rightly once the cell is known from near ones
        if cell < LEAST_CELL * stride:
            return None
        numbers = np.cumsum(np.concatenate([[0], np.rint(gaps / cell)]))
        cell, first = (float(one) for one in np.polyfit(numbers, places, 1, w=np.sqrt(weights)))
    many = round(length / cell)
    whole = Axis(length, many, length / max(many, 1), 0.0)
    outside = math.floor(first / cell + 1 - at - 0.5 / cell)  # cells before the first place, at most half cut off
    begins = first + 0.5 - cell * (outside + at)
    part = Axis(length, round((length - begins) / cell), cell, begins)
    for axis in (whole, part):
        numbers = (places + 0.5 - axis.first) / axis.cell - at
        off = np.abs(numbers - np.rint(numbers)) * axis.cell / stride
        if axis.number >= LEAST_PLACES and off.max() <= FARTHEST_OFF and np.average(off, weights=weights) <= OFF:
            return axis
    return None


def _places(bends: NDArray[np.float64], together: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return where along an axis it bends, as pixels' positions, and how much; None where at few, or nearly anywhere.

    One bend is spread over so many pixels ``together``.
    """
    marked = np.concatenate([[False], bends > 0, [False]])
    steps = np.flatnonzero(marked[1:] != marked[:-1])
    starts, stops = steps[::2], steps[1::2]
    if not len(starts):
        return None
    runs = np.repeat(np.arange(len(starts)), stops - starts)
    pixels = np.flatnonzero(bends)
    sums = np.bincount(runs, bends[pixels])
    narrow = stops - starts <= together
    if sums[~narrow].sum() > STRAY * sums.sum():
        return None
    narrow &= sums > WEAK * sums.max()
    if np.count_nonzero(narrow) < LEAST_PLACES:
        return None
    places = np.asarray(np.bincount(runs, bends[pixels] * pixels) / sums, np.float64)
    return places[narrow], np.asarray(sums[narrow], np.float64)


def _at_middles(mask: NDArray[np.float32], axis: Axis) -> NDArray[np.float32]:
    """Return the values (number, W) of a mask (H, W), linear between middles, at those of the cells along its rows.

    A middle between two pixels is on the straight lines through the two on its left and the two on its right.
    """
    last = axis.length - 1
    at = np.clip(axis.middles(), 0, last)
    left, right = np.floor(at).astype(int), np.ceil(at).astype(int)
    before, after = np.maximum(left - 1, 0), np.minimum(right + 1, last)
    near = (at - left)[:, None].astype(np.float32)
    far = (right - at)[:, None].astype(np.float32)
    from_left = mask[left] + near * (mask[left] - mask[before])
    from_right = mask[right] + far * (mask[right] - mask[after])
    return (from_left + from_right) / 2


def _is_enlarged_of(mask: NDArray[np.float32], cells: Cells, enlarging: Enlarging) -> bool:
    """Tell whether cells give the mask again where it has an edge, by some of its rows."""
    rows = evenly(0, len(mask))
    edge = unsure(mask[rows])
    again = enlarging(cells.rows, rows) @ cells.values @ enlarging(cells.columns, np.arange(mask.shape[1])).T
    return bool((np.abs(again - mask[rows])[edge] <= SAME).mean() > 1 - STRAY) if edge.any() else False
