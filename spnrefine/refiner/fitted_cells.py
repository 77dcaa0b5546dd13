"""The cells of a mask that do not show by where it bends, but give it when they are enlarged again.

One that was enlarged bicubically, as Pillow does unless it is told otherwise, is a cubic between the middles of cells,
whose fourth differences are 0: they show a comb of cells' size. Where cells are of two or three pixels, all bends.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spnrefine.boxes.box import Box
from spnrefine.boxes.where import box_where
from spnrefine.refiner.cell_axis import Axis
from spnrefine.refiner.cells import SAME, Cells, edges_for_each_crossing, evenly
from spnrefine.refiner.contour import unsure

Floats = NDArray[np.float32]
Enlarging = Callable[[Floats, tuple[int, int]], Floats]
"""Enlarges values (h, w) to a size, (height, width)."""

LEAST_SIDE, MOST_SIDE = (
    12,
    4096,
)  # pixels of a mask: what combs take grows with the square, and OpenCV samples to 32,767
STRIDES = 1, 2, 4, 8  # pixels between those whose differences are looked at
LINES = 64  # looked at along each axis
CLEAR = 0.015  # a line is a cubic only where it was not clipped at 0 or 1
NOISE = 0.004  # below it a difference is rounding
LEAST_PIXELS = 20
FEWEST, LEAST_CELL = 6, 2.5  # cells along an axis; pixels of one
COMB = 0.2  # how clear the comb has to be, of 1
TRIED = 3  # sizes of cells
SMALL = 2.0, 3.4  # pixels of small cells
ROUNDS = 8  # at most, in which values at the middles are corrected until they give the mask
MOST_ALONG, MOST_EDGES = 5.0, 2.0
"""Small cells with an edge for each crossing, along lines and in the whole: a soft mask has more."""
ALONG, WHOLE = 0.75, 0.95
"""Of the pixels with an edge, that have to be the same along lines and in the whole: where Pillow clipped after the
first axis, lines are no cubics any more."""


def find_fitted_cells(mask: Floats) -> Cells | None:
    """Return the cells that a probability map (H, W) was enlarged of: of small ones, bilinearly, or else bicubically.

    None where the whole of it was not, or a side is longer than :data:`MOST_SIDE`. Any soft mask is nearly one of half
    the resolution, enlarged, but is not taken for that.
    """
    seen = box_where(unsure, mask)
    if seen is None or min(mask.shape) < LEAST_SIDE or max(mask.shape) > MOST_SIDE:
        return None
    return _small(mask, seen) or _cubic(mask, seen)


def _small(mask: Floats, seen: Box) -> Cells | None:
    """Return cells of two to three pixels: of two, or such as second differences show a comb of."""
    height, width = mask.shape
    part = np.ascontiguousarray(mask[evenly(seen.top, seen.bottom, LINES)])
    for columns in dict.fromkeys([*_half(width), *_second_combs(part)]):
        values, same = _fitted(part, (len(part), columns), _as_opencv_does_by_default)
        if same <= WHOLE or edges_for_each_crossing(values, axes=(1,)) > MOST_ALONG:
            continue
        near = round(height * columns / width)
        for rows in dict.fromkeys([*_half(height), near, near - 1, near + 1]):
            values, same = _fitted(mask, (rows, columns), _as_opencv_does_by_default)
            if same > WHOLE and edges_for_each_crossing(values) < MOST_EDGES:
                return _regular(mask, values)
    return None


def _half(length: int) -> list[int]:
    return sorted({length // 2, -(-length // 2)})


def _second_combs(lines: Floats) -> list[int]:
    """Return numbers of small cells along lines (n, length) of which second differences show a comb, clearest first."""
    length = lines.shape[1]
    numbers = np.arange(int(length / SMALL[1]), int(length / SMALL[0]) + 1)
    bends = np.abs(np.diff(lines, 2, axis=1))
    height = np.sum(bends, axis=0, where=bends > NOISE)
    at = np.flatnonzero(height)
    if len(at) < LEAST_SIDE:
        return []
    at = np.arange(at[0], at[-1] + 1)
    clear = _comb(numbers / length, at + 1.5, height[at])
    return [int(number) for number in numbers[np.argsort(clear)[::-1][:TRIED]]]


def _comb(turns: NDArray[np.floating], at: NDArray[np.floating], height: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return how clearly heights at some places are a comb, of 1, for each number of turns a pixel.

    Its teeth stand at half turns: where cells' middles are.
    """
    height = height - height.mean()
    phase = np.asarray(2 * np.pi * (np.outer(turns, at) % 1), np.float32)
    return np.asarray(-np.cos(phase) @ height / np.sqrt(np.sum(height**2) * len(at) + 1e-12))


def _cubic(mask: Floats, seen: Box) -> Cells | None:
    across = mask[evenly(seen.top, seen.bottom, LINES)]
    enlarge, columns = _enlarged(across, WAYS)
    if enlarge is None:
        return None
    down = np.ascontiguousarray(mask[:, evenly(seen.left, seen.right, LINES)].T)
    rows = _enlarged(down, [enlarge])[1]
    if rows == 0:
        return None
    values, same = _fitted(mask, (rows, columns), enlarge)
    return _regular(mask, values) if same > WHOLE else None


def _regular(mask: Floats, values: Floats) -> Cells:
    (height, width), (rows, columns) = mask.shape, values.shape
    return Cells(Axis.whole(height, rows), Axis.whole(width, columns), values)


def _enlarged(lines: Floats, ways: Sequence[Enlarging]) -> tuple[Enlarging | None, int]:
    """Return in which way lines (n, length) can have been enlarged, and of how many cells; None, 0: in none."""
    for number in _combs(lines):
        for enlarge in ways:
            if _fitted(lines, (len(lines), number), enlarge)[1] > ALONG:
                return enlarge, number
    return None, 0


def _combs(lines: Floats) -> list[int]:
    """Return numbers of cells along lines (n, length) of which their fourth differences show a comb, clearest first."""
    length = lines.shape[1]
    found: list[tuple[float, int]] = []
    for stride in STRIDES:
        numbers = np.arange(FEWEST, int(length / (LEAST_CELL * stride)))
        bends = _fourth(lines, stride)
        if np.count_nonzero(np.isfinite(bends)) < LEAST_PIXELS or not len(numbers):
            continue
        at = np.flatnonzero(np.isfinite(bends))
        clear = _comb(numbers / length, at + 2 * stride + 0.5, np.log(np.maximum(bends[at], NOISE)))
        found += [(float(clear[best]), int(numbers[best])) for best in np.argsort(clear)[-TRIED:]]
    return list(dict.fromkeys(number for clear, number in sorted(found, reverse=True) if clear > COMB))[:TRIED]


def _fourth(lines: Floats, stride: int) -> NDArray[np.floating]:
    """Return the mean size of fourth differences at each pixel where some line is not clipped; elsewhere NaN."""
    length = lines.shape[1] - 4 * stride
    if length <= 0:
        return np.zeros(0)
    taps = [lines[:, place * stride :][:, :length] for place in range(5)]
    size = np.abs(taps[0] - 4 * taps[1] + 6 * taps[2] - 4 * taps[3] + taps[4])
    clear = (np.minimum.reduce(taps) > CLEAR) & (np.maximum.reduce(taps) < 1 - CLEAR)
    many = clear.sum(axis=0)
    return np.where(many > 0, (size * clear).sum(axis=0) / np.maximum(many, 1), np.nan)


def _fitted(mask: Floats, size: tuple[int, int], enlarge: Enlarging) -> tuple[Floats, float]:
    """Return values (h, w) at the middles of cells, and what share of a mask's edge (H, W) they give when enlarged."""
    shape = mask.shape[0], mask.shape[1]
    rows, columns = (
        np.clip(Axis.whole(length, number).middles(), 0, length - 1).astype(np.float32)
        for length, number in zip(shape, size, strict=True)
    )
    across, down = np.meshgrid(columns, rows)

    def sampled(plane: Floats) -> Floats:
        return np.asarray(cv2.remap(plane, across, down, cv2.INTER_LINEAR), np.float32)

    values = sampled(mask)
    again = enlarge(values, shape)
    edge = unsure(mask)
    if not edge.any():
        return values, 0.0
    same = 0.0
    for _ in range(ROUNDS):
        off = mask - again
        before, same = same, float((np.abs(off)[edge] <= SAME).mean())
        if same == 1 or same <= before:
            break
        values = np.clip(values + sampled(off), 0, 1)
        again = enlarge(values, shape)
    return values, same


def _as_pillow(values: Floats, size: tuple[int, int]) -> Floats:
    for width, height in ((size[1], len(values)), (size[1], size[0])):  # it clips after either axis
        enlarged = Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)
        values = np.clip(np.asarray(enlarged, np.float32), 0, 1)
    return values


def _as_opencv_does_by_default(values: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(values, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _as_opencv(values: Floats, size: tuple[int, int]) -> Floats:
    return np.clip(np.asarray(cv2.resize(values, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32), 0, 1)


WAYS: tuple[Enlarging, ...] = _as_pillow, _as_opencv
