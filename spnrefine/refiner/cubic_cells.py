"""The cells of a mask that was enlarged bicubically, as Pillow does unless it is told otherwise.

Such a mask is a cubic between the middles of cells, whose fourth differences are 0: they show a comb of cells' size.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spnrefine.boxes.where import box_where
from spnrefine.refiner.cell_axis import Axis
from spnrefine.refiner.cells import SAME, Cells, evenly
from spnrefine.refiner.contour import unsure

Floats = NDArray[np.float32]
Enlarging = Callable[[Floats, tuple[int, int]], Floats]
"""Enlarges values (h, w) to a size, (height, width)."""

MOST_PIXELS = 1 << 25  # of a mask: it is enlarged again as a whole
STRIDES = 1, 2, 4, 8  # pixels between those whose differences are looked at
LINES = 64  # looked at along each axis
CLEAR = 0.015  # a line is a cubic only where it was not clipped at 0 or 1
NOISE = 0.004  # below it a difference is rounding
LEAST_PIXELS = 20
FEWEST, LEAST_CELL = 6, 2.5  # cells along an axis; pixels of one
COMB = 0.2  # how clear the comb has to be, of 1
TRIED = 3  # sizes of cells
ROUNDS = 4  # in which values at the middles are corrected until they give the mask
ALONG, WHOLE = 0.75, 0.95
"""Of the pixels with an edge, that have to be the same along lines and in the whole: where Pillow clipped after the
first axis, lines are no cubics any more."""


def find_cubic_cells(mask: Floats) -> Cells | None:
    """Return the cells that all of a probability map (H, W) was enlarged of bicubically; None where it was not."""
    seen = box_where(unsure, mask)
    if seen is None or mask.size > MOST_PIXELS:
        return None
    across = mask[evenly(seen.top, seen.bottom, LINES)]
    enlarge, columns = _enlarged(across, WAYS)
    if enlarge is None:
        return None
    down = np.ascontiguousarray(mask[:, evenly(seen.left, seen.right, LINES)].T)
    rows = _enlarged(down, [enlarge])[1]
    if rows == 0:
        return None
    values, same = _fitted(mask, (rows, columns), enlarge)
    if same <= WHOLE:
        return None
    height, width = mask.shape
    return Cells(Axis(height, rows, height / rows, 0.0), Axis(width, columns, width / columns, 0.0), values)


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
        height = np.log(np.maximum(bends[at], NOISE))
        height -= height.mean()
        turns = np.outer(numbers / length, at + 2 * stride + 0.5)  # middles are at half a turn
        phase = np.asarray(2 * np.pi * (turns % 1), np.float32)
        clear = -np.cos(phase) @ height / np.sqrt(np.sum(height**2) * len(at) + 1e-12)
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
    at = [np.clip(_middles(length, number), 0, length - 1) for length, number in zip(shape, size, strict=True)]
    columns, rows = np.meshgrid(at[1].astype(np.float32), at[0].astype(np.float32))

    def sampled(plane: Floats) -> Floats:
        return np.asarray(cv2.remap(plane, columns, rows, cv2.INTER_LINEAR), np.float32)

    values = sampled(mask)
    again = enlarge(values, shape)
    for _ in range(ROUNDS):
        values = np.clip(values + sampled(mask - again), 0, 1)
        again = enlarge(values, shape)
    edge = unsure(mask)
    return values, float((np.abs(again - mask)[edge] <= SAME).mean()) if edge.any() else 0.0


def _middles(length: int, number: int) -> NDArray[np.floating]:
    return Axis(length, number, length / number, 0.0).middles()


def _as_pillow(values: Floats, size: tuple[int, int]) -> Floats:
    for width, height in ((size[1], len(values)), (size[1], size[0])):  # it clips after either axis
        enlarged = Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)
        values = np.clip(np.asarray(enlarged, np.float32), 0, 1)
    return values


def _as_opencv(values: Floats, size: tuple[int, int]) -> Floats:
    return np.clip(np.asarray(cv2.resize(values, size[::-1], interpolation=cv2.INTER_CUBIC), np.float32), 0, 1)


WAYS: tuple[Enlarging, ...] = _as_pillow, _as_opencv
