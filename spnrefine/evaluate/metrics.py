"""How well a mask matches the truth, over all of it and along its boundary.

Masks are (H, W) booleans. ``valid`` is (H, W) booleans too: pixels outside it are not scored.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]

BOUNDARY_SHARE = 0.01  # of the diagonal: the band of Boundary IoU
MADE_WORSE = 0.005  # of IoU: a mask that lost more counts as made worse
MBA_RADII = 5


class Scores(NamedTuple):
    """The three measures of one mask, each in 0..1."""

    iou: float
    biou: float
    mba: float


def score(mask: Bits, truth: Bits, valid: Bits | None = None) -> Scores:
    """Measure a mask by IoU, Boundary IoU and mean boundary accuracy."""
    valid = np.ones_like(truth) if valid is None else valid
    mask, truth = mask & valid, truth & valid
    width = max(1.0, BOUNDARY_SHARE * float(np.hypot(*truth.shape)))
    boundary = iou(inner_band(mask, width), inner_band(truth, width))
    return Scores(iou(mask, truth), boundary, mean_boundary_accuracy(mask, truth, valid))


def iou(mask: Bits, truth: Bits) -> float:
    """Intersection over union; 1 where both are empty."""
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def inner_band(mask: Bits, width: float) -> Bits:
    """Keep the pixels of ``mask`` within ``width`` of its contour; the image's border counts as contour.

    Cheng et al., "Boundary IoU", CVPR 2021.
    """
    padded = np.pad(mask.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return mask & (distance <= width)


def mean_boundary_accuracy(mask: Bits, truth: Bits, valid: Bits) -> float:
    """Average the share of right pixels near the truth's contour over five radii; 1 where there is no contour.

    Cheng et al., "CascadePSP", CVPR 2020.
    """
    edge = cv2.morphologyEx(truth.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    if not edge.any():
        return 1.0
    distance = cv2.distanceTransform(1 - edge, cv2.DIST_L2, 5)
    right = mask == truth
    accuracies = []
    for radius in np.linspace(3, max(4, sum(truth.shape) / 300), MBA_RADII):
        near = (distance <= radius) & valid
        if near.any():
            accuracies.append(right[near].mean())
    return float(np.mean(accuracies)) if accuracies else 1.0


class Summary(NamedTuple):
    """Means over many masks, and what refinement did to them.

    ``error_removed`` is 1 - mean(1 - IoU after) / mean(1 - IoU before); ``made_worse`` the share of masks that lost
    more than half a point of IoU.
    """

    masks: int
    iou: float
    biou: float
    mba: float
    error_removed: float
    made_worse: float


def summarise(before: list[Scores], after: list[Scores]) -> Summary:
    """Sum up the scores of coarse and refined masks, in the same order."""
    old, new = np.array(before), np.array(after)
    error = (1 - old[:, 0]).mean()
    removed = 1 - (1 - new[:, 0]).mean() / error if error else 0.0
    worse = (new[:, 0] < old[:, 0] - MADE_WORSE).mean()
    return Summary(len(new), *(float(value) for value in (*new.mean(0), removed, worse)))
