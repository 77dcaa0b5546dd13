"""Resizing of photographs and masks, one way for all."""

import cv2
from numpy.typing import NDArray


def resize(array: NDArray, size: tuple[int, int]) -> NDArray:
    """Resize (H, W) or (H, W, C) to (height, width): the mean of the pixels when shrinking, bilinear when enlarging."""
    height, width = size
    shrinking = height < array.shape[0] or width < array.shape[1]
    return cv2.resize(array, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
