"""Kinds of coarse masks that can be told apart by the mask alone: how it was made shows in its edge."""

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.where import above
from spnrefine.refiner.averages import may_be_averages
from spnrefine.refiner.blocks import LEAST_BLOCK, block_size
from spnrefine.refiner.brush import brush_radius
from spnrefine.refiner.contour import is_soft
from spnrefine.refiner.edge_width import is_uneven

HARD, SOFT, POLYGON = "hard", "soft", "polygon"
KINDS = SOFT, "blocks", POLYGON, HARD
"""A soft edge; squares of a lower resolution; long straight sides; none of these."""
BRUSH = "brush"
"""Of the last, those that show that they were painted with a round brush."""
MAP = "map"
"""A soft mask that a network made, as it seems: no kind of its own where choices are made by kind."""
FINE, ROUGH = 1.0, 3.0  # pixels: tolerances of two polygons drawn around a mask
FEWER = 0.7
"""Of a polygon's corners at least this share is left at the rough tolerance; of a curve's half or so."""
LEAST_CORNERS = 3
LEAST_SIDE = 12.0  # pixels: the mean side of a polygon


def kind_of(coarse: NDArray[np.float32]) -> str:
    """Return which of :data:`KINDS` a probability map (H, W) is.

    Straight sides show in that a polygon drawn around the mask needs as many corners roughly as finely: the corners of
    one around a curve grow with the root of the tolerance's inverse.
    """
    if is_soft(coarse):
        return SOFT
    inside = coarse > 0.5
    if block_size(inside) >= LEAST_BLOCK:
        return "blocks"
    contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    fine, rough = (sum([_corners(each, tolerance) for each in contours]) for tolerance in (FINE, ROUGH))
    length = sum(len(each) for each in contours)
    straight = fine > 0 and rough >= FEWER * fine and length >= LEAST_SIDE * fine
    return POLYGON if straight else HARD


def kind_and_brush(coarse: NDArray[np.float32]) -> tuple[str, float | None]:
    """Return the kind of a probability map (H, W), :data:`BRUSH` among them, and the radius of that brush in pixels."""
    kind = kind_of(coarse)
    radius = brush_radius(np.ascontiguousarray(above(coarse, 0.5))) if kind == HARD else None
    return (kind, None) if radius is None else (BRUSH, radius)


def is_map(soft: NDArray[np.float32]) -> bool:
    """Tell whether a soft mask (H, W) is a network's map: no blurred mask, nor one of a lower resolution."""
    return is_uneven(soft) and not may_be_averages(soft)


def _corners(contour: NDArray, tolerance: float) -> int:
    found = len(cv2.approxPolyDP(contour, tolerance, True))
    return found if found >= LEAST_CORNERS else 0
