"""A mask that was averaged down and enlarged again says how much of each cell is object: what is refined keeps to that.

The network's log odds are corrected by a field, linear between the middles of cells, until each cell's mean is as it
was: the photograph says where in a cell the edge runs, the mask how much lies on either side. So it is with an enlarged
photograph whose pixels must average to the small one's (iterative back-projection: Irani and Peleg, CVGIP 1991).
"""

from collections.abc import Callable

import cv2
import numpy as np

from spnrefine.boxes.box import Box, around
from spnrefine.refiner.cell_field import WAYS, Field, Floats
from spnrefine.refiner.cells import UNDECIDED, Cells, edges, edges_for_each_crossing, find_cells
from spnrefine.refiner.fitted_cells import find_fitted_cells

MIX = 0.25  # of the coarse mask's own log odds in a mask's: on held-aside pairs from 0.1 to 0.5 all the same
MOVED, MOVED_PIXELS = 0.15, 0.8
"""Of a cell, on average over those with an edge: where the network changes them by more than this, and than this many
pixels' share of a cell, the mask may be far off."""
LEFT = 0.035
"""Likewise: where cells of the hard result are farther off, no mask of zeros and ones had these averages."""
MATTE_MOVED = 0.06
"""Likewise, of a matte: where it changes cells by more, these were of no better matte, on held-aside ones."""
MOST_PARTS = 32  # of a mask, that are looked at each by itself
EDGES = 0.35
"""Cells with an edge for each crossing: masks that were cut at a half before they were enlarged, or sampled, have
fewer."""


def keep_averages(coarse: Floats, refined: Floats) -> bool:
    """Correct ``refined``, in place, so that it has the averages of ``coarse``, where that is an enlarged mask.

    Parts that lie apart are judged each by itself, and may have been enlarged so.

    Parameters
    ----------
    coarse, refined : (H, W) float32 in 0..1, before and after refinement.

    Returns
    -------
    Whether it was, anywhere. It is not where ``coarse`` was not enlarged, or cannot be believed: its cells are no
    averages of zeros and ones, as a network's are not, or the photograph shows its edge elsewhere.
    """
    return _kept(coarse, refined, _keep)


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


def _kept(coarse: Floats, refined: Floats, keep: Callable[[Floats, Floats, Cells], bool]) -> bool:
    """Keep the averages of all, or of each part by itself: with cells of its own, or else those of all."""
    whole, parts = _of_averages(find_cells(coarse) or find_fitted_cells(coarse)), _apart(coarse)
    if not parts:
        return whole is not None and keep(coarse, refined, whole)
    kept = False
    for box in parts:
        own = np.ascontiguousarray(coarse[box.slices])
        cells = _of_averages(find_cells(own)) or (whole and whole.within(box))
        if cells is not None and edges(cells.values).any():
            kept |= keep(own, refined[box.slices], cells)
    return kept


def _keep(coarse: Floats, refined: Floats, cells: Cells) -> bool:
    most = max(MOVED, MOVED_PIXELS / min(cells.rows.cell, cells.columns.cell))
    for way in WAYS:
        field = Field(coarse, refined, cells, way, MIX)
        if field.left(_hard) <= most:
            field.solve()
            if field.left(_hard) <= LEFT:
                field.apply(coarse, refined)
                return True
    return False


def _keep_matte(coarse: Floats, alpha: Floats, cells: Cells) -> bool:
    field = min((Field(coarse, alpha, cells, way, 0) for way in WAYS), key=lambda field: field.left(_itself))
    if field.left(_itself) > MATTE_MOVED:
        return False
    field.solve()
    field.apply(coarse, alpha)
    return True


def _apart(mask: Floats) -> list[Box]:
    """Return boxes that do not overlap around a mask's parts, where there are several."""
    present = (mask > UNDECIDED[0]).view(np.uint8)
    outlines, _ = cv2.findContours(present, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)  # less than a map of numbers
    if len(outlines) > MOST_PARTS:
        return []
    boxes: list[Box] = []
    for left, top, wide, high in map(cv2.boundingRect, outlines):
        box = Box(top, top + high, left, left + wide)
        while overlapping := [one for one in boxes if 0 not in (one.cut(box).height, one.cut(box).width)]:
            boxes = [one for one in boxes if one not in overlapping]
            box = around([box, *overlapping])
        boxes.append(box)
    return boxes if len(boxes) > 1 else []


def _of_averages(cells: Cells | None) -> Cells | None:
    """Return cells if as many of them have an edge as averages have."""
    return cells if cells is not None and edges_for_each_crossing(cells.values) > EDGES else None


def _hard(probability: Floats) -> Floats:
    return (probability > 0.5).astype(np.float32)


def _itself(alpha: Floats) -> Floats:
    return alpha
