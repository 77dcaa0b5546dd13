"""Distances between the contours of two masks: NSD and HD95, as DeepMind's surface-distance has them in two dimensions.

Nikolov et al., "Clinically applicable segmentation of head and neck anatomy", J Med Internet Res 2021. A contour goes
through the corners of pixels; at each its length is that which the four pixels around it ask for. MONAI's NSD with
``use_subvoxels`` is the same; its HD95 is not, as it counts pixels, whatever their length of contour.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]
Lengths = NDArray[np.float64]

DIAGONAL = 0.5 * np.sqrt(2)
PERCENT = 95

_LENGTHS = np.full(
    16, DIAGONAL
)  # by the pixels of the object: 8 upper left, 4 upper right, 2 lower left, 1 lower right
_LENGTHS[[0, 15]] = 0
_LENGTHS[[0b0011, 0b1100, 0b0101, 0b1010]] = 1
_LENGTHS[[0b0110, 0b1001]] = 2 * DIAGONAL


class Surfaces:
    """The contours of a mask and the truth, (H, W) bools each, and how far each is from the other.

    ``valid`` (H, W) are the pixels that are not void. Contours are found first: where one of the four pixels around a
    corner is void, nobody knows whether a contour goes there, and that corner does not count.
    """

    def __init__(self, mask: Bits, truth: Bits, valid: Bits):
        known = _corners(~valid) == 0
        lengths = [_LENGTHS[_corners(each)] for each in (truth, mask)]
        self._sides = [_side(own, other, known) for own, other in (lengths, lengths[::-1])]

    def nsd(self, radius: float) -> float | None:
        """Return normalised surface dice: the share of both contours that lies within ``radius`` pixels of the other.

        None where there is no contour at all.
        """
        whole = sum(float(lengths.sum()) for _, lengths in self._sides)
        near = sum(float(lengths[distances <= radius].sum()) for distances, lengths in self._sides)
        return near / whole if whole else None

    def hd95(self) -> float | None:
        """Return the Hausdorff distance in pixels, its 95th percentile along the contours; None where one is missing.

        It is the larger of the two distances, from either contour to the other.
        """
        worst = [_percentile(*side) for side in self._sides]
        return max(worst) if all(np.isfinite(worst)) else None


def _corners(mask: Bits) -> NDArray[np.uint8]:
    """Return (H + 1, W + 1): which of the four pixels around each corner are set; none is outside the picture."""
    bits = np.pad(mask, 1).astype(np.uint8)
    return 8 * bits[:-1, :-1] + 4 * bits[:-1, 1:] + 2 * bits[1:, :-1] + bits[1:, 1:]


def _side(own: Lengths, other: Lengths, known: Bits) -> tuple[Lengths, Lengths]:
    """Return the distances of a contour's corners to another contour, rising, and the lengths at these corners."""
    here = (own > 0) & known
    if not here.any():
        return np.zeros(0), np.zeros(0)
    if not (other > 0).any():
        return np.full(int(here.sum()), np.inf), own[here]
    apart = cv2.distanceTransform((other == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[here]
    distances = np.sqrt(np.rint(apart.astype(np.float64) ** 2))  # squares are whole numbers: exact to the last digit
    order = np.argsort(distances, kind="stable")
    return distances[order], own[here][order]


def _percentile(distances: Lengths, lengths: Lengths) -> float:
    if not len(distances):
        return float("inf")
    share = np.cumsum(lengths) / lengths.sum()
    return float(distances[min(int(np.searchsorted(share, PERCENT / 100)), len(distances) - 1)])
