"""Large objects: after one pass over the whole, look closer along the contour, up to the photograph's own resolution.

Each level has about three times the resolution of the one before and sees tiles along the contour only, so that its
cost grows with the contour's length, not with the area.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box, around
from spnrefine.model.framing import SMALLEST_SIDE
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.scaling import resize

STEP = 3.0  # times the resolution of the level before: of 2 masks are no better, on held-aside photographs enlarged
ENOUGH = 0.5  # of the photograph's resolution: seen at this or more, little is gained by looking again
TILE = 256  # pixels of a level that the network sees at once
MARGIN = 32  # of these, on each side, are only looked at: what lies beyond the tile is unknown there
FEATHER = 24  # pixels inside the margin over which a tile fades into its neighbours
AROUND = 48  # pixels around its contour that a trimmed tile sees: the band, and as much that is only looked at
STRIDE = 32  # pixels: a trimmed tile has a whole number of them
CELL = 8  # pixels of a level: the grain in which tiles are placed
BAND = 24  # pixels of a level, from the contour, that may change
ROWS = 512  # of the photograph: tiles are put together in so many at a time
DOUBT = 0.1, 0.9  # a probability between these is unsure: contour too


def look_closer(
    network: RefinesMasks,
    image: NDArray[np.uint8],
    probability: NDArray[np.float32],
    scale: float,
    coarse: NDArray[np.float32] | None = None,
    thin: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Refine what was refined at a lower resolution, level by level.

    Parameters
    ----------
    network : refines a coarse mask (h, w), float32 in 0..1, guided by an image (h, w, 3), uint8 RGB.
    image : (H, W, 3) uint8, RGB.
    probability : (H, W) float32 in 0..1, refined at ``scale`` of the image's resolution and enlarged.
    scale : below 1 where the image was shrunk.
    coarse, thin : the mask as it came, and (H, W) bool, where it has lines too thin for what was seen so far: there the
        last level, at the photograph's own resolution, begins from the mask as it came.

    Returns
    -------
    ``probability``, changed in place.
    """
    steps = levels(scale)
    where = None
    if coarse is not None and thin is not None and not steps:
        steps, where = [1.0], thin
    for level in steps:
        if level == 1 and coarse is not None and thin is not None:
            np.copyto(probability, coarse, where=thin)
        see_in_tiles(network, image, probability, level, where=where, trimmed=where is None)
    return probability


def levels(scale: float) -> list[float]:
    """Return the scales to look at again after ``scale``: each about ``STEP`` times the one before, the last one 1."""
    if scale >= ENOUGH:
        return []
    steps = max(1, round(math.log(1 / scale, STEP)))
    return [scale ** (1 - step / steps) for step in range(1, steps + 1)]


def see_in_tiles(
    network: RefinesMasks,
    image: NDArray[np.uint8],
    probability: NDArray[np.float32],
    scale: float,
    tile: int = TILE,
    where: NDArray[np.bool_] | None = None,
    *,
    trimmed: bool = False,
) -> NDArray[np.float32]:
    """Look at all tiles of one level; each sees the mask as it was before, so that their order does not matter.

    Arguments as for :func:`look_closer`, and the ``tile``'s side in pixels of the level; ``where`` (H, W) bool says
    which of the contour is looked at, None all of it. ``probability`` is changed in place, and returned.
    """
    seen = []
    for box in tiles(probability, scale, tile, where, trimmed=trimmed):
        size = _sides(box, scale)
        before = np.clip(resize(probability[box.slices], size), 0, 1)
        after = network(resize(image[box.slices], size), before)
        share = _window(box, probability.shape, size) * _near_contour(before)
        seen.append(_Tile(box, share, np.subtract(after, before)))
    _blend(probability, seen)
    return probability


@dataclass(frozen=True, eq=False)
class _Tile:
    """What was seen in a box: how much it counts, and by how much the mask changes, (h, w) pixels of the level."""

    box: Box
    share: NDArray[np.float32]
    difference: NDArray[np.float32]


def _blend(probability: NDArray[np.float32], seen: Sequence[_Tile]) -> None:
    """Change a mask (H, W) by the means of what tiles say: a few rows at a time, so that no map of the whole is held.

    The smaller memory is worth enlarging a tile anew for all of the pieces that it lies in.
    """
    height, width = probability.shape
    for top in range(0, height, ROWS):
        piece = Box(top, min(top + ROWS, height), 0, width)
        here = [tile for tile in seen if tile.box.cut(piece).height]
        if not here:
            np.clip(probability[piece.slices], 0, 1, out=probability[piece.slices])
            continue
        touched = around([tile.box for tile in here]).cut(piece)
        change, weight = (np.zeros((touched.height, touched.width), np.float32) for _ in range(2))
        for tile in here:
            both = tile.box.cut(piece)
            back, part = (tile.box.height, tile.box.width), both.inside(tile.box).slices
            share = resize(tile.share, back)[part]
            place = both.inside(touched).slices
            weight[place] += share
            change[place] += np.multiply(share, resize(tile.difference, back)[part], out=share)
        change /= np.maximum(weight, 1, out=weight)
        probability[touched.slices] += change
        np.clip(probability[piece.slices], 0, 1, out=probability[piece.slices])


def tiles(
    probability: NDArray[np.float32],
    scale: float,
    tile: int = TILE,
    where: NDArray[np.bool_] | None = None,
    *,
    trimmed: bool = False,
) -> Iterator[Box]:
    """Yield boxes of the image, ``tile`` pixels of the level wide, whose cores cover the contour.

    Each is put where most of the contour is left to cover. ``trimmed``, it is cut to what of the contour was left.
    """
    height, width = probability.shape
    cell = CELL / scale
    rows, columns = max(1, math.ceil(height / cell)), max(1, math.ceil(width / cell))
    small = resize(probability, (rows, columns))
    left = _on_contour(small).astype(np.float32)
    if where is not None:
        left *= resize(where.astype(np.float32), (rows, columns)) > 0
    span = tile // CELL
    inset = MARGIN // CELL
    core_rows, core_columns = (min(cells, span - 2 * inset) for cells in (rows, columns))
    window = core_columns, core_rows
    while True:
        covered = cv2.boxFilter(left, -1, window, anchor=(0, 0), normalize=False, borderType=cv2.BORDER_CONSTANT)
        _, most, _, (column, row) = cv2.minMaxLoc(covered)
        if most < 0.5:
            return
        row, column = min(row, rows - core_rows), min(column, columns - core_columns)
        core = left[row : row + core_rows, column : column + core_columns]
        down, across = ((row - inset, span), (column - inset, span))
        if trimmed:
            down, across = (_trimmed(*each, np.asarray(core.any(axis))) for each, axis in ((down, 1), (across, 0)))
        core[:] = 0
        top, bottom = _stretch(*down, cell, height)
        start, end = _stretch(*across, cell, width)
        yield Box(top, bottom, start, end)


def _trimmed(first: int, span: int, has_contour: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where a tile begins and how long it is, in cells, that sees no more than its contour and what is around.

    It was to have ``span`` cells from ``first`` on. A whole number of strides remains, so that nothing is padded.
    """
    held = np.flatnonzero(has_contour) + first + MARGIN // CELL
    begin, end = int(held[0]) - AROUND // CELL, int(held[-1]) + 1 + AROUND // CELL
    strides = STRIDE // CELL
    length = math.ceil((end - begin) / strides) * strides
    if length >= span:
        return first, span
    return min(max(begin - (length - (end - begin)) // 2, first), first + span - length), length


def _sides(box: Box, scale: float) -> tuple[int, int]:
    """Return the height and width of a tile in pixels of the level."""
    height, width = box.bottom - box.top, box.right - box.left
    return max(SMALLEST_SIDE, round(height * scale)), max(SMALLEST_SIDE, round(width * scale))


def _stretch(first: int, span: int, cell: float, length: int) -> tuple[int, int]:
    """Return where ``span`` cells from ``first`` on begin and end in pixels, moved inside ``length``."""
    size = min(round(span * cell), length)
    start = min(max(0, round(first * cell)), length - size)
    return start, start + size


def _on_contour(probability: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which pixels are unsure or have a neighbour on the other side of a half."""
    low, high = DOUBT
    inside = (probability > 0.5).astype(np.uint8)
    edge = cv2.morphologyEx(inside, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return (edge > 0) | ((probability > low) & (probability < high))


def _near_contour(probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 on the contour, falling to 0 at ``BAND`` pixels from it."""
    off = (~_on_contour(probability)).astype(np.uint8)
    distance = cv2.distanceTransform(off, cv2.DIST_L2, 3)
    return np.clip(2 - 2 * distance / BAND, 0, 1).astype(np.float32)


def _window(box: Box, shape: tuple[int, ...], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return (h, w): 1 in a tile's core, 0 in its margins; a side on the image's own border has no margin."""

    def ramp(length: int, at_start: bool, at_end: bool) -> NDArray[np.float32]:
        pixel = np.arange(length) + 0.5
        near = np.full(length, np.inf)
        if not at_start:
            near = np.minimum(near, pixel)
        if not at_end:
            near = np.minimum(near, length - pixel)
        return np.clip((near - (MARGIN - FEATHER)) / FEATHER, 0, 1).astype(np.float32)

    rows = ramp(size[0], box.top == 0, box.bottom == shape[0])
    columns = ramp(size[1], box.left == 0, box.right == shape[1])
    return rows[:, None] * columns
