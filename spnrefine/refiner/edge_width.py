"""Whether a soft mask's edge is as wide everywhere, as that of a blurred or enlarged one is.

A network is surer of its mask in some places than in others, and the less sure it is, the wider is its edge.
"""

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.where import box_where
from spnrefine.refiner.contour import contour_distance, edge_width, unsure

WIDTHS = 4.1
"""Standard deviations between the ends of a Gaussian blur's edge, where it is at 0.02 and 0.98."""
SHIFTS = -1.0, -0.5, 0.0, 0.5, 1.0  # pixels of a ramp's middle from between the pixels, where the contour is
WIDER = 0.0, 1.0  # pixels of a ramp than of those that are neither inside nor outside
UNEVEN = 0.065
"""The mean difference from masks whose edge is as wide everywhere, beyond which an edge is uneven.

Of hard masks that were blurred by one or two pixels, 95 in 100 differ by less, of the maps of three networks 95 in 100
by more than 0.07. Where an edge is wider than parts of the object, blurred masks differ by more.
"""
LEAST_WIDTH = 4.0  # pixels: of narrower edges the shape does not show
SEEN = 8  # pixels of an edge's width, that are looked at: of wider ones every second row and column, or third
POINTS = 4096  # about, that are compared with ramps
MOST_SIDE = 4096  # of what is looked at; an edge that is narrow beside it is not of a network that saw less


def is_uneven(mask: NDArray[np.float32]) -> bool:
    """Tell whether the edge of a soft probability map (H, W), in 0..1, is wider in some places than in others."""
    return edge_width(mask) >= LEAST_WIDTH and is_even(mask) is False


def is_even(mask: NDArray[np.float32]) -> bool | None:
    """Tell whether the edge of a probability map (H, W), in 0..1, is as wide everywhere; None where it cannot be told.

    It is compared with a blurred mask and with linear ramps, of its mean width.
    """
    box = box_where(unsure, mask)
    if box is None:
        return None
    width = edge_width(mask)
    step = max(1, int(width / SEEN))
    here = mask[box.grown(2 + int(width), *mask.shape).slices][::step, ::step]
    inside = here > 0.5
    if max(here.shape) > MOST_SIDE or inside.all() or not inside.any():
        return None
    width /= step
    blurred = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), width / WIDTHS, borderType=cv2.BORDER_REPLICATE)
    if _difference(here, np.asarray(blurred, np.float32)) <= UNEVEN:
        return True
    distance = (contour_distance(inside) - 0.5) * np.where(inside, np.float32(1), np.float32(-1))
    near = np.flatnonzero((np.abs(distance) < width) | unsure(here))
    near = near[:: max(1, len(near) // POINTS)]
    edge, distance = here.ravel()[near], distance.ravel()[near]
    ramps = (0.5 + (distance + shift) / np.float32(width + wider) for shift, wider in product(SHIFTS, WIDER))
    return any(_difference(edge, np.clip(ramp, 0, 1)) <= UNEVEN for ramp in ramps)


def _difference(mask: NDArray[np.float32], even: NDArray[np.float32]) -> float:
    """Return how far two masks are apart on average, where either is neither inside nor outside."""
    edge = unsure(mask) | unsure(even)
    return float(np.abs(even - mask)[edge].mean()) if edge.any() else 0.0
