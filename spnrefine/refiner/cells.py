"""The cells of a mask that came from a lower resolution and was enlarged bilinearly: where they lie, what they hold.

Bilinear enlargement is linear between the middles of the cells and bends there alone, so the bends show the cells.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.where import box_where
from spnrefine.refiner.contour import unsure

BEND = 2.5 / 255
"""A second difference that rounding to eight bits cannot make: each of its four parts is a half off at most."""
WEAK = 0.05  # of the strongest bend, or of the one beside it: such as rounding twice may make here and there
LEAST_CELL = 2.5  # pixels: of smaller cells each pixel may be a middle
LEAST_BENDS = 4  # along each axis: of fewer nothing can be told
OFF, FARTHEST_OFF = 0.2, 1.0  # pixels by which bends lie off their places, as they are found: on average, at most
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


def find_cells(mask: NDArray[np.float32]) -> Cells | None:
    """Return the cells that a probability map (H, W) was enlarged of bilinearly; None where it was not."""
    seen = box_where(unsure, mask)
    if seen is None:
        return None
    columns = _axis(mask[_some(seen.top, seen.bottom)])
    rows = None if columns is None else _axis(mask[:, _some(seen.left, seen.right)].T)
    if columns is None or rows is None:
        return None
    values = np.clip(_at_middles(_at_middles(mask, rows).T, columns).T, 0, 1).astype(np.float32)
    cells = Cells(rows, columns, values)
    return cells if _is_enlarged_of(mask, cells) else None


def enlarging(axis: Axis, pixels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the weights (len(pixels), number) by which pixels along an axis are taken from its cells."""
    at = np.clip((pixels + 0.5 - axis.first) / axis.cell - 0.5, 0, axis.number - 1)
    low = np.minimum(at.astype(np.intp), max(axis.number - 2, 0))
    weights = np.zeros((len(pixels), axis.number), np.float32)
    rows = np.arange(len(pixels))
    weights[rows, low] = 1 - (at - low)
    if axis.number > 1:
        weights[rows, low + 1] = at - low
    return weights


def _bends(lines: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sum over lines of a mask, (n, length), by how much they bend at each pixel; (length,)."""
    total = np.zeros(lines.shape[1])
    if len(total) >= 3:
        bends = np.abs(np.diff(lines, 2, axis=1))
        total[1:-1] = np.sum(bends, axis=0, where=bends >= BEND, dtype=np.float64)
        beside = np.maximum(total[:-2], total[2:])
        total[1:-1][total[1:-1] < WEAK * beside] = 0
    return total


def _some(start: int, stop: int) -> NDArray[np.intp]:
    """Return lines from ``start`` on, evenly spaced, all where they are few."""
    return np.unique(np.linspace(start, stop - 1, LINES_LOOKED_AT).astype(np.intp))


def _axis(lines: NDArray[np.float32]) -> Axis | None:
    """Return the cells along lines of a mask, (n, length), whose middles, and nothing else, bend.

    Where every pixel is looked at, cells of more than some 40 pixels bend less than rounding may.
    """
    for stride in STRIDES:
        found = _places(_bends(lines[:, ::stride]))
        if found is not None and len(found[0]) >= LEAST_BENDS:
            return _regular(found[0] * stride, found[1], lines.shape[1], stride)
    return None


def _regular(places: NDArray[np.float64], weights: NDArray[np.float64], length: int, stride: int) -> Axis | None:
    """Return the cells along ``length`` pixels whose middles are these places, found at every ``stride`` pixels."""
    gaps = np.diff(places)
    cell = float(gaps[gaps < 1.5 * gaps.min()].mean())
    for _ in range(2):  # far places are numbered rightly once the cell is known from near ones
        if cell < LEAST_CELL * stride:
            return None
        numbers = np.cumsum(np.concatenate([[0], np.rint(gaps / cell)]))
        cell, first = (float(one) for one in np.polyfit(numbers, places, 1, w=np.sqrt(weights)))
    count = round(length / cell)
    whole = Axis(length, count, length / max(count, 1), 0.0)
    if count >= LEAST_BENDS and _fits(whole, places, weights, stride):
        return whole
    outside = math.floor(first / cell + 0.5 - 0.5 / cell)  # cells before the one that bends first, at most half cut off
    begins = first + 0.5 - cell * (outside + 0.5)
    part = Axis(length, round((length - begins) / cell), cell, begins)
    return part if part.number >= LEAST_BENDS and _fits(part, places, weights, stride) else None


def _fits(axis: Axis, places: NDArray[np.float64], weights: NDArray[np.float64], stride: int) -> bool:
    """Tell whether all places lie at middles of cells, and on average close to them."""
    at = (places + 0.5 - axis.first) / axis.cell - 0.5
    off = np.abs(at - np.rint(at)) * axis.cell
    return bool(off.max() <= FARTHEST_OFF * stride and np.average(off, weights=weights) <= OFF * stride)


def _places(bends: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return where along an axis it bends, as pixels' positions, and how much; None where it does nearly anywhere."""
    marked = np.concatenate([[False], bends > 0, [False]])
    steps = np.flatnonzero(marked[1:] != marked[:-1])
    starts, stops = steps[::2], steps[1::2]
    if not len(starts):
        return None
    runs = np.repeat(np.arange(len(starts)), stops - starts)
    pixels = np.flatnonzero(bends)
    sums = np.bincount(runs, bends[pixels])
    narrow = stops - starts <= TOGETHER
    if sums[~narrow].sum() > STRAY * sums.sum():
        return None
    narrow &= sums > WEAK * sums.max()
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


def _is_enlarged_of(mask: NDArray[np.float32], cells: Cells) -> bool:
    """Tell whether cells give the mask again where it has an edge, by some of its rows."""
    rows = _some(0, len(mask))
    edge = unsure(mask[rows])
    again = enlarging(cells.rows, rows) @ cells.values @ enlarging(cells.columns, np.arange(mask.shape[1])).T
    return bool((np.abs(again - mask[rows])[edge] <= SAME).mean() > 1 - STRAY) if edge.any() else False
