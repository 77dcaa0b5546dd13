"""Distances from the contour of a mask, or from the borders of a label map."""

import cv2
import numpy as np
from numpy.typing import NDArray


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
    distance = cv2.distanceTransform((~marked).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return (distance + 1).astype(np.float32)
