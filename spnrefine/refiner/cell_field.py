"""A field that is added to log odds, linear between the middles of cells, so that they have the averages they shall."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import strips
from spnrefine.refiner.cell_axis import Axis
from spnrefine.refiner.cells import Cells, bilinear, edges

Floats = NDArray[np.float32]
Pixels = NDArray[np.intp]
Averaging = Callable[[Axis, slice], tuple[Pixels, Floats]]
"""Which pixels along an axis count for some of its cells, and their weights, (cells, pixels): each row's sum is 1."""

STEPS, RATE = 10, 1.5
FARTHEST = 12.0  # log odds that are added at most
LEAST, LEAST_MEAN = 1e-3, 2e-3  # away from 0 and 1: of a pixel's probability, and of a cell's
SIDE = 8  # cells of a tile
ENOUGH = 24  # pixels across a cell from which its mean is taken: of more, some are left out


def box(axis: Axis, cells: slice) -> tuple[Pixels, Floats]:
    """Average over the pixels in each cell, those on its border in part."""
    edges = axis.edges()[cells.start : cells.stop + 1]
    pixels = _looked_at(axis, int(edges[0]), int(np.ceil(edges[-1])))
    inside = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return pixels, _normal(np.clip(inside, 0, 1))


def triangle(axis: Axis, cells: slice) -> tuple[Pixels, Floats]:
    """Average over twice as much, weighted by how near to the cell's middle: bilinear reduction without aliasing."""
    middles = axis.middles()[cells]
    first, last = middles[0] - axis.cell, middles[-1] + axis.cell
    pixels = _looked_at(axis, max(0, int(np.floor(first))), min(axis.length, int(np.ceil(last)) + 1))
    return pixels, _normal(np.clip(1 - np.abs(pixels - middles[:, None]) / axis.cell, 0, None))


WAYS: tuple[Averaging, ...] = box, triangle


@dataclass(frozen=True)
class _Tile:
    """Some cells with an edge: the log odds of their pixels, how these are averaged and how a field is enlarged."""

    cells: tuple[slice, slice]
    odds: Floats
    averaging: tuple[Floats, Floats]
    near: tuple[slice, slice]
    enlarging: tuple[Floats, Floats]

    def probability(self, field: Floats) -> Floats:
        return _sigmoid(self.odds + _both(self.enlarging, field[self.near]))

    def means(self, pixels: Floats) -> Floats:
        return _both(self.averaging, pixels)


class Field:
    """What is added to the log odds at the middle of each cell, found tile by tile where there is an edge."""

    def __init__(self, coarse: Floats, refined: Floats, cells: Cells, way: Averaging, mix: float):
        self.mix = mix  # of the coarse mask's own log odds
        self.axes, self.values = (cells.rows, cells.columns), cells.values
        self.field = np.zeros_like(self.values)
        self.edge = edges(self.values)
        self.tiles = [self._tile(coarse, refined, here, way) for here in _tiles(cells) if self._counts(refined, here)]

    def _counts(self, refined: Floats, here: tuple[slice, slice]) -> bool:
        """Tell whether cells have an edge, or are all object or all none, but not refined as such."""
        if self.edge[here].any():
            return True
        inside = refined[_pixels(self.axes, here)] > 0.5
        return not bool(inside.all()) if self.values[here].min() > 0.5 else bool(inside.any())

    def _tile(self, coarse: Floats, refined: Floats, here: tuple[slice, slice], way: Averaging) -> _Tile:
        (rows, down), (columns, across) = (way(axis, cells) for axis, cells in zip(self.axes, here, strict=True))
        odds = self._odds(coarse[np.ix_(rows, columns)], refined[np.ix_(rows, columns)])
        return _Tile(here, odds, (down, across), *_near(self.axes, rows, columns))

    def _odds(self, coarse: Floats, refined: Floats) -> Floats:
        odds = _log_odds(refined, LEAST)
        return (1 - self.mix) * odds + self.mix * _log_odds(coarse, LEAST) if self.mix else odds

    def off(self, made: Callable[[Floats], Floats]) -> Floats:
        """Return how far off each cell with an edge is, (h, w) as shares of a cell, in what is made of it; else NaN."""
        off = np.full_like(self.values, np.nan)
        for tile in self.tiles:
            off[tile.cells] = tile.means(made(tile.probability(self.field))) - self.values[tile.cells]
        off[~self.edge] = np.nan
        return off

    def solve(self) -> None:
        """Find the field."""
        wanted = _log_odds(self.values, LEAST_MEAN)
        for _ in range(STEPS):
            step = np.zeros_like(self.field)
            for tile in self.tiles:
                means = tile.means(tile.probability(self.field))
                step[tile.cells] = wanted[tile.cells] - _log_odds(means, LEAST_MEAN)
            np.clip(self.field + RATE * step, -FARTHEST, FARTHEST, out=self.field)

    def apply(self, coarse: Floats, refined: Floats) -> None:
        """Correct a probability map (H, W) by the field, in place."""
        for tile in self.tiles:
            rows, columns = _pixels(self.axes, tile.cells)
            for part in strips(rows.stop - rows.start, columns.stop - columns.start):
                own = slice(rows.start + part.start, rows.start + part.stop), columns
                near, weights = _near(self.axes, *(np.arange(one.start, one.stop) for one in own))
                found = _sigmoid(self._odds(coarse[own], refined[own]) + _both(weights, self.field[near]))
                np.copyto(refined[own], found, where=np.abs(found - refined[own]) > 2 * LEAST)  # 0 and 1 stay


def _tiles(cells: Cells) -> Iterator[tuple[slice, slice]]:
    height, width = cells.values.shape
    for top in range(0, height, SIDE):
        for left in range(0, width, SIDE):
            yield slice(top, min(top + SIDE, height)), slice(left, min(left + SIDE, width))


def _looked_at(axis: Axis, start: int, stop: int) -> Pixels:
    return np.arange(start, stop, max(1, int(axis.cell / ENOUGH)))


def _pixels(axes: tuple[Axis, Axis], cells: tuple[slice, slice]) -> tuple[slice, slice]:
    """Return the pixels that belong to cells and to no others."""
    rows, columns = (
        np.rint(axis.edges()[[some.start, some.stop]]).astype(int) for axis, some in zip(axes, cells, strict=True)
    )
    return slice(*rows.tolist()), slice(*columns.tolist())


def _near(axes: tuple[Axis, Axis], rows: Pixels, columns: Pixels) -> tuple[tuple[slice, slice], tuple[Floats, Floats]]:
    """Return the cells that pixels are enlarged from, and the weights down and across, (pixels, cells)."""
    (top, down), (left, across) = (
        _taken(bilinear(axis, some)) for axis, some in zip(axes, (rows, columns), strict=True)
    )
    return (top, left), (down, across)


def _taken(weights: Floats) -> tuple[slice, Floats]:
    used = np.flatnonzero(weights.any(axis=0))
    near = slice(int(used[0]), int(used[-1]) + 1)
    return near, np.ascontiguousarray(weights[:, near])


def _both(weights: tuple[Floats, Floats], values: Floats) -> Floats:
    down, across = weights
    return np.asarray(down @ values @ across.T, np.float32)


def _normal(weights: NDArray[np.floating]) -> Floats:
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9), np.float32)


def _log_odds(probability: Floats, least: float) -> Floats:
    kept = np.clip(probability, np.float32(least), np.float32(1 - least))
    return np.asarray(np.log(kept / (1 - kept)), np.float32)


def _sigmoid(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)
