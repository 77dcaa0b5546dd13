"""What the benchmarks refine: a drawn photograph with a mask at any size, and a real one."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.files.images import read_image
from spnrefine.files.rasters import read_raster

DRAWN = 512  # pixels: larger scenes are enlarged from this size, so that drawing costs little


def draw_scene(height: int, width: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw a textured object that covers about 40 % of the frame, and its coarse mask.

    Returns
    -------
    image : (H, W, 3) uint8, RGB.
    mask : (H, W) uint8, 0 or 255: the object's mask, its contour off by a few hundredths of the frame.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[-1 : 1 : DRAWN * 1j, -1 : 1 : DRAWN * 1j]
    wobble = cv2.GaussianBlur(rng.normal(0, 1, (2, DRAWN, DRAWN)).transpose(1, 2, 0), (0, 0), 30)
    wobble = wobble / np.abs(wobble).max()
    radius = np.hypot(rows, columns)
    inside = radius + 0.15 * wobble[..., 0] < 0.72
    coarse = radius + 0.15 * wobble[..., 0] + 0.06 * wobble[..., 1] < 0.72
    texture = cv2.GaussianBlur(rng.normal(0, 120, (DRAWN, DRAWN, 3)), (0, 0), 1.5)
    image = np.clip(np.where(inside[..., None], (180, 120, 80), (80, 110, 150)) + texture, 0, 255).astype(np.uint8)
    size = (width, height)
    return (
        np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)),
        np.asarray(cv2.resize(coarse.astype(np.uint8) * 255, size, interpolation=cv2.INTER_NEAREST)),
    )


def astronaut() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return NASA's portrait of Eileen Collins (public domain; from scikit-image) and a coarse mask of her.

    Returns
    -------
    image : (512, 512, 3) uint8, RGB.  mask : (512, 512) uint8, 0 or 255; it covers about 40 % of the frame.
    """
    here = Path(__file__).parent
    folder = here if (here / "astronaut.jpg").is_file() else here.parents[1] / "examples"  # a wheel, or a checkout
    return read_image(folder / "astronaut.jpg"), read_raster(folder / "astronaut_mask.png").pixels[..., 0]
