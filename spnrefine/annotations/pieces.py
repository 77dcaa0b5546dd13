"""Masks as polygons without holes, for formats that hold the union of several."""

from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.polygons import Grid, Ring, trace
from spnrefine.boxes.boxed import Boxed


def pieces(mask: Boxed, *, tolerance: float) -> list[Ring]:
    """Trace a mask, of bools, as polygons on `Grid.CORNERS` whose union it is, none of which has a hole.

    A part with holes is cut through the middle of each, from top to bottom. Parts that meet in a corner alone are two.
    So no ring touches itself, as the valid polygons of OGC must not. ``tolerance`` is that of `trace`.
    """
    rings: list[Ring] = []
    for part, (left, top) in _parts(mask.pixels):
        corner = left + mask.box.left, top + mask.box.top
        (traced,) = trace(Boxed.whole(part), tolerance=tolerance, grid=Grid.CORNERS)
        if not traced.holes:
            rings.append(traced.outer + corner)
            continue
        middles = {int((hole[:, 0].min() + hole[:, 0].max()) // 2) for hole in traced.holes}
        cuts = sorted({0, part.shape[1], *middles})
        for left, right in pairwise(cuts):
            for piece, inner in _parts(part[:, left:right]):
                (traced,) = trace(Boxed.whole(piece), tolerance=tolerance, grid=Grid.CORNERS)
                rings.append(traced.outer + inner + (left, 0) + corner)
    return rings


def _parts(mask: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.bool_], tuple[int, int]]]:
    """Yield the 4-connected parts of a mask, each in its own box, and the box's left and top."""
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    for number in range(1, count):
        left, top, width, height = (int(value) for value in boxes[number, :4])
        yield numbers[top : top + height, left : left + width] == number, (left, top)
