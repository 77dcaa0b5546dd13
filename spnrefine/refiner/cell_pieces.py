"""Pieces of a mask that were enlarged each by itself, as of photographs that stand side by side in one picture.

Where no cells give all of a mask again, it is cut in two, and the halves likewise: along the line at which it ends at
once, as one photograph ends beside the next, or else in the middle of the widest band in which there is nothing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box, bounding_box
from spnrefine.refiner.cells import SAME, UNDECIDED, Cells, edges, evenly, find_cells
from spnrefine.refiner.fitted_cells import find_fitted_cells

Floats = NDArray[np.float32]

MOST_CUTS = 4
LINES = 64  # looked at for a seam
STEP = 0.03  # between two pixels: by which it exceeds those beside it where it is no slope
SEAM, LEAST_STEPS = 0.5, 0.3
"""Of all steps across a seam, those that are no slopes; and their sum over the lines."""
CLEAN = 0.95
"""Of what lies along a seam, what does not go on across: where more does, a band of nothing is the better cut."""
FADED = 4 / 255  # at most, a pixel beyond the last one: of a mask that fades out, when it is rounded
LARGER, FEW, WEAK = 1.5, 0.7, 0.1
"""Times: where cells of the pieces are so much larger, smaller ones suit all by chance, and they bend at few of the
places where there is an edge, but for so much of the strongest bend."""


class Piece(NamedTuple):
    """Where a piece lies, and its cells, counted from there."""

    box: Box
    cells: Cells


def find_pieces(mask: Floats) -> list[Piece]:
    """Return the pieces of a probability map (H, W) that were enlarged, and their cells; none where nothing was."""
    everything = Box(0, mask.shape[0], 0, mask.shape[1])
    return _Cutting(mask).pieces(everything, find_cells(mask) or find_fitted_cells(mask))


class _Cutting:
    """A mask that is cut, and how often it may still be."""

    def __init__(self, mask: Floats):
        self.mask, self.left = mask, MOST_CUTS

    def pieces(self, box: Box, cells: Cells | None) -> list[Piece]:
        """Return the pieces of a box, for all of which these cells were found."""
        if self.left == 0 or (cells is not None and not _may_be_larger(cells)):
            return [] if cells is None else [Piece(box, cells)]
        halves = _halves(self.mask, box)
        self.left -= len(halves) > 0
        found: list[Piece] = []
        for half in halves:
            own = find_cells(np.ascontiguousarray(self.mask[half.slices]))
            if own is None and cells is not None:
                own = cells.within(half.moved(-box.top, -box.left))
            found += self.pieces(half, own)
        if cells is None or any(_larger(piece.cells, cells) for piece in found):
            return found
        return [Piece(box, cells)]


def _may_be_larger(cells: Cells) -> bool:
    """Tell whether half of some cells, cut where they are empty, bends at few places of those where it has an edge."""
    _, along, middle = max(_gap(cells.values, axis) for axis in (0, 1))
    for half in np.split(cells.values, [middle], axis=along):
        for axis in (0, 1):
            bends = np.abs(np.diff(half, 2, axis=axis)).sum(axis=1 - axis)
            edge = np.asarray(edges(half).any(axis=1 - axis))[1:-1]
            if np.count_nonzero(bends[edge] > WEAK * bends.max(initial=0)) < FEW * np.count_nonzero(edge):
                return True
    return False


def _larger(one: Cells, other: Cells) -> bool:
    return one.rows.cell > LARGER * other.rows.cell or one.columns.cell > LARGER * other.columns.cell


def _halves(mask: Floats, box: Box) -> list[Box]:
    """Cut a box of a mask in two, without what lies beyond where the mask ends at once; none where it is one piece."""
    within = bounding_box(mask[box.slices] > UNDECIDED[0])
    if within is None:
        return []
    there = mask[box.slices][within.slices]
    share, along, seam = max(_seam(there, axis) for axis in (0, 1))
    if share < CLEAN:
        width, across, middle = max(_gap(there, axis) for axis in (0, 1))
        along, seam = (across, middle) if width else (along, seam)
        if not width and not share:
            return []
    top, bottom, left, right = box
    if along == 0:
        cut = top + within.top + seam
        halves = [Box(top, cut, left, right), Box(cut, bottom, left, right)]
    else:
        cut = left + within.left + seam
        halves = [Box(top, bottom, left, cut), Box(top, bottom, cut, right)]
    return [_ending(mask, half) for half in halves]


def _seam(mask: Floats, axis: int) -> tuple[float, int, int]:
    """Return where along an axis a mask (H, W) steps and does not slope: what share of it ends there, 0 for nowhere."""
    lines = mask[evenly(0, mask.shape[0], LINES)] if axis else mask[:, evenly(0, mask.shape[1], LINES)].T
    if lines.shape[1] < 4:
        return 0.0, axis, 0
    steps = np.abs(np.diff(lines, axis=1))
    slopes = np.maximum(steps[:, :-2], steps[:, 2:])
    steps = steps[:, 1:-1]
    sudden = steps > slopes + STEP
    ends = np.sum(steps, axis=0, where=sudden)
    goes_on = np.count_nonzero((np.minimum(lines[:, 1:-2], lines[:, 2:-1]) > UNDECIDED[0]) & ~sudden, axis=0)
    share = ends / (ends + goes_on + 1e-9)
    share[(ends < LEAST_STEPS) | (ends < SEAM * steps.sum(axis=0))] = 0
    return float(share.max()), axis, int(share.argmax()) + 2


def _gap(mask: Floats, axis: int) -> tuple[int, int, int]:
    """Return where along an axis the widest band lies in which a mask (H, W) is empty: its width, and its middle."""
    gaps = np.diff(taken := np.flatnonzero((mask > UNDECIDED[0]).any(axis=1 - axis)))
    if not len(gaps):
        return 0, axis, 0
    widest = int(gaps.argmax())
    width = int(gaps[widest]) - 1
    return width, axis, int(taken[widest]) + 1 + (width + 1) // 2


def _ending(mask: Floats, box: Box) -> Box:
    """Return a box up to where the mask in it ends at once: one that was enlarged fades out, or its photograph ends."""
    within = bounding_box(mask[box.slices] > SAME)
    if within is None:
        return box
    there = mask[box.slices][within.slices]
    top, bottom, left, right = (_ends(side) for side in (there, there[::-1], there.T, there.T[::-1]))
    return Box(
        box.top + (within.top if top else 0),
        box.top + (within.bottom if bottom else box.height),
        box.left + (within.left if left else 0),
        box.left + (within.right if right else box.width),
    )


def _ends(mask: Floats) -> bool:
    """Tell whether a mask (H, W) would be seen beyond its first row if it went on as from its second to that."""
    return len(mask) > 1 and bool((2 * mask[0] - mask[1]).max() > FADED)
