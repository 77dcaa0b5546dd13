"""The colours of an object alone: what lies behind it taken out along its edge."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.refiner.tiles import tiles

RADII = 60, 15, 4
"""Pixels over which colours are averaged: far first, so that every pixel learns of some; then nearer."""
BEYOND = 4
"""Pixels as far as which colours go on where nothing of the object shows."""
SIDE = 512
_LEAST = 1e-5  # of the object, within a radius: where there is less, its colour is not known


def foreground(image: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Estimate the object's own colours where it is seen in part, and continue them a little beyond its edge.

    Where ``alpha`` is 1 they are the photograph's; where nothing of the object is near, they are black.

    Parameters
    ----------
    image : (H, W, 3) uint8. alpha : (H, W) in 0..1, how much of each pixel the object covers.

    Returns
    -------
    (H, W, 3) uint8, a new array.

    Notes
    -----
    Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021, with one pass of blurs more.
    """
    colours = np.where((alpha > 0)[..., None], image, 0).astype(np.uint8)
    partial = (alpha < 1) & _near(alpha > 0, BEYOND)
    for tile in tiles(partial, SIDE, sum(RADII)):
        seen = image[tile.seen.slices].astype(np.float32)
        found = _estimate(seen, np.asarray(alpha[tile.seen.slices], np.float32)[..., None])[tile.inner]
        here = partial[tile.core.slices]
        colours[tile.core.slices][here] = np.rint(np.clip(found[here], 0, 255)).astype(np.uint8)
    return colours


def _estimate(image: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Return the object's colours (h, w, 3) of an image (h, w, 3) and alpha (h, w, 1), float32."""
    front = behind = image
    for radius in RADII:
        share = _blurred(alpha, radius)
        front = _blurred(front * alpha, radius) / np.maximum(share, _LEAST)
        behind = _blurred(behind * (1 - alpha), radius) / np.maximum(1 - share, _LEAST)
        front = np.clip(front + alpha * (image - alpha * front - (1 - alpha) * behind), 0, 255)
    return front


def _blurred(planes: NDArray[Any], radius: int) -> NDArray[Any]:
    blurred = np.asarray(cv2.blur(planes, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT_101))
    return blurred.reshape(planes.shape)


def _near(inside: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.asarray(cv2.dilate(inside.astype(np.uint8), kernel) > 0, bool)
