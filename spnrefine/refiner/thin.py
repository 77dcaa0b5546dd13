"""Lines and gaps of a mask that are too thin for the scale at which it is seen."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import STRIP, strips
from spnrefine.boxes.where import above, any_where, box_where
from spnrefine.refiner.contour import contour_length, is_soft, outlines

WIDTH = 1.5
"""Pixels, as the network sees them, that a line or gap has to be wide to be seen at all."""
SAFE_WIDTH = 2.5  # pixels, likewise, below which one may still be lost: masks flow at half the resolution
LEAST_PIXELS = 12  # of a line: less is an unevenness of the contour
LEAST_SHARE = 0.05  # of the contour's length: with less, the mask is seen as one without lines
AROUND = 6  # pixels of the photograph around a line that are looked at again along with it
FEW = 1 << 16
ROWS_A_SIDE = 16  # of a square: rows that are looked at together, for which some beside them are looked at too
MOVED = 2  # pixels, as the network saw them, by which a line may move and be the same


def thin_places(coarse: NDArray[np.float32], scale: float) -> NDArray[np.bool_] | None:
    """Mark where a hard mask has lines or gaps that are narrower than 1.5 pixels at ``scale``, and what is near them.

    Parameters
    ----------
    coarse : (H, W) float32 in 0..1.
    scale : of the photograph's resolution that the network sees.

    Returns
    -------
    (H, W) bool; None where there are none to speak of, or where the mask is soft.
    """
    if scale >= 1 or is_soft(coarse):
        return None
    inside = above(coarse, 0.5)
    lines, gaps = _lines_and_gaps(inside, math.ceil(WIDTH / scale))
    found = lines | gaps
    if np.count_nonzero(found) < LEAST_SHARE * contour_length(inside):
        return None
    return _around(found, AROUND)


def keep_lines(coarse: NDArray[np.float32], refined: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Return ``refined`` with the thin lines and gaps of a hard mask that it lost, not such as it moved.

    Parameters
    ----------
    coarse, refined : (H, W) float32 in 0..1, before and after refinement.
    scale : of the photograph's resolution that the network saw.

    Returns
    -------
    ``refined``, changed in place; as it was where nothing was lost.
    """
    inside = above(coarse, 0.5)
    if not any_where(lambda before, after: before != (after > 0.5), inside, refined) or is_soft(coarse):
        return refined
    lines, gaps = _lines_and_gaps(inside, math.ceil(SAFE_WIDTH / scale))
    reach = math.ceil(MOVED / scale)
    box = box_where(np.logical_or, lines, gaps)
    if box is not None:
        here = box.grown(2 * reach + 1, *lines.shape).slices
        after = refined[here] > 0.5
        lost = _lost(lines[here], after, reach)
        lost |= _lost(gaps[here], ~after, reach)
        np.copyto(refined[here], coarse[here], where=lost & (inside[here] != after))
    return refined


def _lost(lines: NDArray[np.bool_], after: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Mark those pixels of lines near which nothing of them is left in ``after``, and what joins these to the rest."""
    if not lines.any():
        return np.zeros_like(lines)
    return lines & _around(lines & ~_around(after, reach), reach + 1)


def _lines_and_gaps(inside: NDArray[np.bool_], side: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark lines of a mask, and gaps between its parts, into which no square of ``side`` pixels fits.

    A notch of one part is no gap: those of hasty brushes and polygons are mistakes, to be refined away.
    """
    if side < 2:
        return np.zeros_like(inside), np.zeros_like(inside)
    lines = _long(_narrow(inside, side, True))
    if outlines(inside.view(np.uint8))[0] < 2:  # no gap lies between parts
        return lines, np.zeros_like(inside)
    return lines, _parting(_long(_narrow(inside, side, False)), inside)


def _narrow(inside: NDArray[np.bool_], side: int, which: bool) -> NDArray[np.uint8]:
    """Mark with 1 what is ``which`` and lies in no square of ``side`` such pixels: some rows at a time."""
    height, width = inside.shape
    marked = np.zeros(inside.shape, np.uint8)
    step = max(STRIP // width, ROWS_A_SIDE * side)
    for top in range(0, height, step):
        bottom = min(top + step, height)
        begin = max(top - side, 0)  # a square that holds a pixel of these rows reaches no farther
        mask = np.pad(inside[begin : bottom + side], side, mode="edge").view(np.uint8)
        if not which:
            np.subtract(1, mask, out=mask)
        first = side + top - begin
        found = (mask - _opened(mask, side))[first : first + bottom - top, side:-side]
        if found.any():  # else the rows take no memory
            marked[top:bottom] = found
    return marked


def _parting(gaps: NDArray[np.bool_], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the gaps that have more than one part of the mask beside them."""
    if not gaps.any():
        return gaps
    parts, numbers = (cv2.connectedComponents(each.view(np.uint8), connectivity=8)[1] for each in (inside, gaps))
    beside = set()
    places = np.stack(np.nonzero(gaps))
    for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
        next_to = places.copy()
        next_to[axis] = (next_to[axis] - shift) % inside.shape[axis]
        pairs = np.stack([numbers[gaps], parts[tuple(next_to)]])
        beside |= {(gap, part) for gap, part in np.unique(pairs, axis=1).T.tolist() if part}
    counts = np.bincount([gap for gap, _ in beside], minlength=int(numbers.max()) + 1)
    return gaps & (counts > 1)[numbers]


def _opened(mask: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the union of all squares of ``side`` pixels that fit into a mask (OpenCV's own shifts by even sides)."""
    kernel, anchor, opposite = np.ones((side, side), np.uint8), side // 2, side - 1 - side // 2
    core = cv2.erode(mask, kernel, anchor=(anchor, anchor))
    return np.asarray(cv2.dilate(core, kernel, anchor=(opposite, opposite)), np.uint8)


def _long(marked: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Keep what is connected over more than a few pixels; ``marked`` is changed, some rows at a time."""
    box = box_where(np.copy, marked.view(np.bool_))
    if box is not None:
        for rows in strips(box.height, marked.shape[1]):
            top, bottom = box.top + rows.start, box.top + rows.stop
            begin = max(top - LEAST_PIXELS, 0)  # what reaches farther than this is long enough
            seen = marked[begin : bottom + LEAST_PIXELS, box.left : box.right]
            seen[top - begin : bottom - begin] = _long_ones(seen)[top - begin : bottom - begin]
    return marked.view(np.bool_)


def _long_ones(marked: NDArray[np.uint8]) -> NDArray[np.bool_]:
    if not marked.any():
        return marked.view(np.bool_)
    # no more numbers than pixels: few need small ones, and half the memory
    small = cv2.CV_16U if np.count_nonzero(marked) < FEW else cv2.CV_32S
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(marked, connectivity=8, ltype=small)
    kept = stats[:, cv2.CC_STAT_AREA] >= LEAST_PIXELS
    kept[0] = False
    return kept[numbers] if kept.any() else np.zeros(marked.shape, np.bool_)


def _around(marked: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return cv2.dilate(marked.astype(np.uint8), kernel).astype(bool)
