"""Distances from the contour of a mask, or from the borders of a label map."""

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import strips
from spnrefine.boxes.where import above, count_where

SOFT = 0.02, 0.98  # a probability between these is neither inside nor outside
SOFT_EDGE = 2  # pixels: where an edge is softer than this on average, the map does not claim to be exact


def contour(labels: NDArray) -> NDArray[np.bool_]:
    """Mark the pixels (H, W) with a neighbour above, below, left or right of another id; both sides of a border."""
    marked = np.zeros(labels.shape, bool)
    rows, columns = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    marked[1:] |= rows
    marked[:-1] |= rows
    marked[:, 1:] |= columns
    marked[:, :-1] |= columns
    return marked


def contour_distance(labels: NDArray) -> NDArray[np.float32]:
    """Return each pixel's distance (H, W) to the contour, in pixels: 1 beside it; infinite where there is none."""
    marked = contour(labels)
    if not marked.any():
        return np.full(labels.shape, np.inf, np.float32)
    distance = distance_to(marked)
    distance += 1
    return distance


def distance_to(marked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return each pixel's distance (H, W) to the nearest that is marked, in pixels: one is, at least.

    OpenCV's differ in their last bit with the number of threads, and two contours may then tie or not. They are roots
    of whole numbers, as which they are the same everywhere, up to 1,400 pixels.
    """
    found = cv2.distanceTransform((~marked).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = np.asarray(found, np.float32)
    np.square(distance, out=distance)
    np.rint(distance, out=distance)
    return np.sqrt(distance, out=distance)


def outlines(inside: NDArray[np.uint8]) -> tuple[int, int]:
    """Count the 8-connected parts and the 4-connected holes of a mask (H, W) of 0 and 1; outside it lies nothing."""
    _, hierarchy = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if hierarchy is None:
        return 0, 0
    parents = np.asarray(hierarchy).reshape(-1, 4)[:, 3]
    parts = int(np.count_nonzero(parents < 0))
    return parts, len(parents) - parts


def contour_length(inside: NDArray[np.bool_]) -> int:
    """Count the pixels of an object (H, W) that have a neighbour outside it; the picture's border is no contour."""
    height, width = inside.shape
    count = 0
    for rows in strips(height, width):
        seen = slice(max(rows.start - 1, 0), min(rows.stop + 1, height))
        count += int(np.count_nonzero(inner_contour(inside[seen])[rows.start - seen.start : rows.stop - seen.start]))
    return count


def inner_contour(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark these pixels (H, W)."""
    mask = inside.view(np.uint8)
    core = cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mask > core)


def unsure(coarse: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark the pixels (H, W) of a probability map that are neither inside nor outside."""
    found = coarse > SOFT[0]
    found &= coarse < SOFT[1]
    return found


def edge_width(coarse: NDArray[np.float32]) -> float:
    """Return the mean width of the edge of a probability map (H, W), which is neither inside nor outside, in pixels."""
    soft = count_where(unsure, coarse)
    return soft / max(contour_length(above(coarse, 0.5)), 1) if soft else 0.0


def is_soft(coarse: NDArray[np.float32]) -> bool:
    """Tell whether the edge of a probability map (H, W) is so soft that it does not claim to be exact."""
    return edge_width(coarse) > SOFT_EDGE
