"""Signed distance maps in one byte a pixel, of masks and of polygons drawn around them."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Size = TypeVar("Size", int, Tensor)

STEP = 0.25
"""Pixels a unit."""
REACH = 127 * STEP
"""The largest distance told apart; farther pixels have this one."""


def signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return the distance to the edge of ``mask`` in units of :data:`STEP`, positive inside.

    The edge runs between pixels, so that the pixels along it have +-0.5 px. A mask without edge is +-``REACH``
    everywhere.
    """
    inside = mask.astype(np.uint8)
    distance = _to_edge(inside) - _to_edge(1 - inside)
    return np.clip(np.rint(distance / STEP), -127, 127).astype(np.int8)


def _to_edge(inside: NDArray[np.uint8]) -> NDArray[np.float32]:
    if inside.all():  # OpenCV leaves the distance to no pixel undefined
        return np.full(inside.shape, 2 * REACH, np.float32)
    return np.maximum(cv2.distanceTransform(inside, cv2.DIST_L2, 5) - 0.5, 0)


def half_size(height: Size, width: Size) -> tuple[Size, Size]:
    """Return the height and width of :func:`halved` maps; ints, or integer tensors of them."""
    return (height + 1) // 2, (width + 1) // 2


def halved(distances: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return a map at half the resolution, its values as they were: enough for edges that are straight lines."""
    height, width = half_size(*distances.shape)
    small = cv2.resize(distances.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.rint(small).astype(np.int8)
