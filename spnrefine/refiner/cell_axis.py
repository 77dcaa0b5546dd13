"""Cells along one axis of an enlarged mask: where lines of it bend, or step, at regular places."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BEND = 2.5 / 255
"""A second difference that rounding to eight bits cannot make: each of its four parts is a half off at most."""
WEAK = 0.05  # of the strongest bend, or of the one beside it: such as rounding twice may make here and there
LEAST_CELL = 2.5  # pixels: of smaller cells each pixel may be a middle
LEAST_PLACES = 4  # along each axis: of fewer nothing can be told
OFF, FARTHEST_OFF = 0.3, 1.0  # pixels by which places lie off the regular ones: on average, at most
WORSE = 0.03
"""By how much farther off they may lie of cells that fill the mask: 2 % of held-aside masks are beyond it."""
OFF_SHARE = 0.2  # of a cell, likewise at most
TOGETHER = 2  # pixels that a bend is spread over: those on either side of a cell's middle
ASTRAY = 0.15  # of all that bends, what may lie at places that are not regular
CLEAR = 0.85  # of 1: how clear the comb has to be that places show where some are not
COMB_STEPS = 16  # in which sizes of cells are tried, for each one cell more along the mask
MOST_COMBED = 1 << 20  # sizes times places
STRIDES = 1, 4, 16  # pixels: of these every so many are looked at, until bends are found


class Axis(NamedTuple):
    """Cells along one axis of ``length`` pixels: how many, the side of one, and where the first begins, in pixels."""

    length: int
    number: int
    cell: float
    first: float

    @classmethod
    def whole(cls, length: int, number: int) -> "Axis":
        """Return so many cells that fill ``length`` pixels."""
        return cls(length, number, length / max(number, 1), 0.0)

    def edges(self) -> NDArray[np.floating]:
        """Return where cells begin and end within the mask, (number + 1,): 0 is where the first pixel begins."""
        return np.asarray(np.clip(self.first + self.cell * np.arange(self.number + 1), 0, self.length))

    def middles(self) -> NDArray[np.floating]:
        """Return the middle of each cell, (number,) as a pixel's position: 0 is the middle of the first pixel."""
        return self.first + self.cell * (np.arange(self.number) + 0.5) - 0.5

    def within(self, start: int, stop: int) -> tuple["Axis", slice]:
        """Return the cells that some of the pixels lie in, counted from ``start``, and which of all they are."""
        low = min(max(math.floor((start - self.first) / self.cell), 0), self.number - 1)
        high = min(max(math.ceil((stop - self.first) / self.cell), low + 1), self.number)
        return Axis(stop - start, high - low, self.cell, self.first + low * self.cell - start), slice(low, high)


def axis_of(lines: NDArray[np.float32], *, bends: bool) -> Axis | None:
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
    for combed in (False, True):
        cell, first = _combed(places, weights, length, stride) if combed else _fitted(places, weights, stride)
        if cell < LEAST_CELL * stride:
            continue
        outside = math.floor(first / cell + 1 - at - 0.5 / cell)  # cells before the first place, at most half cut off
        begins = first + 0.5 - cell * (outside + at)
        whole = Axis.whole(length, round(length / cell))
        part = Axis(length, round((length - begins) / cell), cell, begins)
        off_whole, off_part = (_off(axis, places, weights, stride, at) for axis in (whole, part))
        if off_whole <= min(OFF, off_part + WORSE):
            return whole
        if off_part <= OFF:
            return part
    return None


def _off(axis: Axis, places: NDArray[np.float64], weights: NDArray[np.float64], stride: int, at: float) -> float:
    """Return how far places lie off an axis's regular ones, in pixels looked at; infinite where too many do."""
    numbers = (places + 0.5 - axis.first) / axis.cell - at
    off = np.abs(numbers - np.rint(numbers)) * axis.cell / stride
    near = off <= min(FARTHEST_OFF, OFF_SHARE * axis.cell / stride)
    if axis.number < LEAST_PLACES or weights[near].sum() < (1 - ASTRAY) * weights.sum():
        return math.inf
    return float(np.average(off[near], weights=weights[near]))


def _fitted(places: NDArray[np.float64], weights: NDArray[np.float64], stride: int) -> tuple[float, float]:
    """Return the cell's size and the first place where all places are regular; 0 for the size where they are not."""
    gaps = np.diff(places)
    cell = float(gaps[gaps < 1.5 * gaps.min()].mean())
    first = float(places[0])
    for _ in range(2):  # far places are numbered rightly once the cell is known from near ones
        if cell < LEAST_CELL * stride:
            return 0.0, first
        numbers = np.cumsum(np.concatenate([[0], np.rint(gaps / cell)]))
        cell, first = (float(one) for one in np.polyfit(numbers, places, 1, w=np.sqrt(weights)))
    return (cell, first) if np.abs(first + cell * numbers - places).max() <= FARTHEST_OFF * stride else (0.0, first)


def _combed(places: NDArray[np.float64], weights: NDArray[np.float64], length: int, stride: int) -> tuple[float, float]:
    """Return the same where some places are not regular, such as the end of another photograph's part."""
    many = int(COMB_STEPS * length / (LEAST_CELL * stride))
    if many * len(places) > MOST_COMBED:
        return 0.0, 0.0
    turns = np.arange(COMB_STEPS * LEAST_PLACES, many) / (COMB_STEPS * length)  # cells a pixel
    clear = np.abs(np.exp(2j * np.pi * np.outer(turns, places - places[0])) @ weights) / weights.sum()
    good = np.flatnonzero(clear > CLEAR)
    if not len(good):
        return 0.0, 0.0
    best = good[0] + int(clear[good[0] : good[0] + COMB_STEPS].argmax())  # the largest cells that do
    cell = 1 / float(turns[best])
    phase = np.angle(np.exp(2j * np.pi * turns[best] * (places - places[0])) @ weights) / (2 * np.pi)
    numbers = np.rint((places - places[0]) / cell - phase)
    off = np.abs((places - places[0]) / cell - phase - numbers) * cell
    near = off <= 2 * FARTHEST_OFF * stride
    if np.count_nonzero(near) < LEAST_PLACES or np.ptp(numbers[near]) == 0:
        return 0.0, 0.0
    cell, first = (float(one) for one in np.polyfit(numbers[near], places[near], 1, w=np.sqrt(weights[near])))
    return cell, first + cell * math.ceil((places[0] - 1 - first) / cell)


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
    if sums[~narrow].sum() > ASTRAY * sums.sum():
        return None
    narrow &= sums > WEAK * sums.max()
    if np.count_nonzero(narrow) < LEAST_PLACES:
        return None
    places = np.asarray(np.bincount(runs, bends[pixels] * pixels) / sums, np.float64)
    return places[narrow], np.asarray(sums[narrow], np.float64)


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
