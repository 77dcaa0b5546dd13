"""A mask that was averaged down and enlarged again says how much of each cell is object: what is refined keeps to that.

The network's log odds are corrected by a field, linear between the middles of cells, until each cell's mean is as it
was: the photograph says where in a cell the edge runs, the mask how much lies on either side. So it is with an enlarged
photograph whose pixels must average to the small one's (iterative back-projection: Irani and Peleg, CVGIP 1991).
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from spnrefine.boxes.box import Box, around
from spnrefine.refiner.cell_field import WAYS, Field, Floats
from spnrefine.refiner.cell_pieces import find_pieces
from spnrefine.refiner.cells import UNDECIDED, Cells, edges_for_each_crossing

MIX = 0.25  # of the coarse mask's own log odds in a mask's: on held-aside pairs from 0.1 to 0.5 all the same
MOVED, MOVED_PIXELS = 0.08, 0.4
"""Of a cell, on average over most of those with an edge: where the network changes them by more than this, and than
this many pixels' share of a cell, the mask may be far off."""
MOST, SHARED = 0.8, 0.5
"""Of these cells, those that are changed least, and what is not counted of the median change: the network errs in some
places, or sees all of an object larger; a mask that is off is off everywhere, inwards here and outwards there."""
LEFT = 0.035
"""Of a cell, on average over all with an edge: where those of the hard result are farther off, no mask of zeros and
ones had these averages."""
MATTE_MOVED = 0.06
"""Likewise, of a matte: where it changes cells by more, these were of no better matte, on held-aside ones."""
MOST_PARTS = 32  # of a mask, that are looked at each by itself
EDGES = 0.35
"""Cells with an edge for each crossing: masks that were cut at a half before they were enlarged, or sampled, have
fewer."""


class _Part(NamedTuple):
    """Where a part of a piece lies, and which cells lie there."""

    box: Box
    cells: tuple[slice, slice]

    def of(self, off: Floats) -> Floats:
        """Return how far its cells with an edge are off, of those of the piece."""
        here = off[self.cells]
        return np.asarray(here[np.isfinite(here)], np.float32)


def keep_averages(coarse: Floats, refined: Floats) -> bool:
    """Correct ``refined``, in place, so that it has the averages of ``coarse``, where that is an enlarged mask.

    Parts that lie apart are judged each by itself, and photographs side by side may have been enlarged each by itself
    (:mod:`spnrefine.refiner.cell_pieces`).

    Parameters
    ----------
    coarse, refined : (H, W) float32 in 0..1, before and after refinement.

    Returns
    -------
    Whether it was, anywhere. It is not where ``coarse`` was not enlarged, or cannot be believed: its cells are no
    averages of zeros and ones, as a network's are not, or the photograph shows its edge elsewhere.
    """
    return _kept(coarse, refined, _keep)


def may_be_averages(coarse: Floats) -> bool:
    """Tell whether a probability map (H, W), or a part of it, has cells that averages may have."""
    return any(_parts(coarse[box.slices], cells) for box, cells in find_pieces(coarse))


def keep_matte_averages(coarse: Floats, alpha: Floats) -> bool:
    """Correct a matte likewise, whose cells need be no averages of zeros and ones.

    Parameters
    ----------
    coarse, alpha : (H, W) float32 in 0..1, the matte that came in and what was made of it, which is changed in place.

    Returns
    -------
    Whether it was, anywhere. It is not where ``coarse`` was not enlarged, or what was made of it has other averages by
    far.
    """
    return _kept(coarse, alpha, _keep_matte)


def _kept(coarse: Floats, refined: Floats, keep: Callable[[Floats, Floats, Cells, list[_Part]], bool]) -> bool:
    """Keep the averages of each piece, of those of its parts that can be believed."""
    kept = False
    for box, cells in find_pieces(coarse):
        here = box.slices
        parts = _parts(coarse[here], cells)
        kept |= keep(coarse[here], refined[here], cells, parts)
    return kept


def _keep(coarse: Floats, refined: Floats, cells: Cells, parts: list[_Part]) -> bool:
    most, left = max(MOVED, MOVED_PIXELS / min(cells.rows.cell, cells.columns.cell)), parts
    for way in WAYS if parts else ():
        field = Field(coarse, refined, cells, way, MIX)
        off = field.off(_hard)
        near = [part for part in left if _moved(part.of(off)) <= most]
        if near:
            field.solve()
            off = field.off(_hard)
            good = [part for part in near if np.abs(part.of(off)).mean() <= LEFT]
            if good:
                _apply(field, coarse, refined, good)
            left = [part for part in left if part not in good]
        if not left:
            break
    return len(left) < len(parts)


def _moved(off: Floats) -> float:
    """Return by how much a network changes cells, from how far off each is, as shares of a cell, by most of them."""
    off = np.sort(np.abs(off - SHARED * np.median(off)))
    return float(off[: max(1, round(MOST * len(off)))].mean())


def _keep_matte(coarse: Floats, alpha: Floats, cells: Cells, parts: list[_Part]) -> bool:
    fields = [(field, field.off(_itself)) for field in (Field(coarse, alpha, cells, way, 0) for way in WAYS)]
    good: list[list[_Part]] = [[] for _ in fields]
    for part in parts:
        off = [float(np.abs(part.of(off)).mean()) for _, off in fields]
        if min(off) <= MATTE_MOVED:
            good[off.index(min(off))].append(part)
    for (field, _), some in zip(fields, good, strict=True):
        if some:
            field.solve()
            _apply(field, coarse, alpha, some)
    return any(good)


def _apply(field: Field, coarse: Floats, refined: Floats, parts: list[_Part]) -> None:
    """Correct parts by a field, in place."""
    found = refined.copy()
    field.apply(coarse, found)
    for box, _ in parts:
        refined[box.slices] = found[box.slices]


def _parts(mask: Floats, cells: Cells) -> list[_Part]:
    """Return a mask's parts, as many of whose cells have an edge as averages have: each up to half-way to the next.

    What no cell shows, such as a stray pixel, is none.
    """
    height, width = mask.shape
    boxes = [box for box in _apart(mask) if cells.values[cells.inside(box)].max() > UNDECIDED[0]]
    if len(boxes) < 2:
        boxes = [Box(0, height, 0, width)]
    else:
        gaps = [min(box.gap(one) for one in boxes if one is not box) for box in boxes]
        boxes = [box.grown(gap // 2, height, width) for box, gap in zip(boxes, gaps, strict=True)]
    parts = [_Part(box, cells.inside(box)) for box in boxes]
    return [part for part in parts if edges_for_each_crossing(cells.values[part.cells]) > EDGES]


def _apart(mask: Floats) -> list[Box]:
    """Return boxes that do not overlap around a mask's parts, where they are not too many."""
    present = np.ascontiguousarray(mask > UNDECIDED[0]).view(np.uint8)
    outlines, _ = cv2.findContours(present, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)  # less than a map of numbers
    boxes: list[Box] = []
    for left, top, wide, high in map(cv2.boundingRect, outlines if len(outlines) <= MOST_PARTS else ()):
        box = Box(top, top + high, left, left + wide)
        while overlapping := [one for one in boxes if 0 not in (one.cut(box).height, one.cut(box).width)]:
            boxes = [one for one in boxes if one not in overlapping]
            box = around([box, *overlapping])
        boxes.append(box)
    return boxes


def _hard(probability: Floats) -> Floats:
    return (probability > 0.5).astype(np.float32)


def _itself(alpha: Floats) -> Floats:
    return alpha
