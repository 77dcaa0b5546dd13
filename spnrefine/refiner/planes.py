"""Stacks of planes for the Python interface: the probabilities of classes together, other masks each for itself."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import ShapeError
from spnrefine.model.protocols import Image, Probability, RefinesMasks
from spnrefine.refiner.joint import most_probable, refine_planes
from spnrefine.refiner.presence import is_empty

CLOSE = 0.01
"""How far from 1 the sum of a pixel's probabilities may be, besides the rounding of 8 bits."""

_ROUNDING = 0.5 / 255


def refine_stack(
    one: RefinesMasks, each: RefinesMasks, image: Image, planes: Probability, threshold: float, *, soft: bool
) -> NDArray:
    """Refine planes (K, H, W) over an image (H, W, 3), together where they sum to 1 everywhere.

    Parameters
    ----------
    one, each : refine a plane of classes, and a plane that is a mask of its own.
    planes : float32 in 0..1.

    Returns
    -------
    (K, H, W): float32 in 0..1 where it is to be ``soft``, else bools, of which one a pixel is True if the planes sum
    to 1.

    Raises
    ------
    ShapeError
        There is no plane, or they are of another size.
    """
    if not len(planes) or planes.shape[1:] != image.shape[:2]:
        raise ShapeError(
            f"The mask has shape {planes.shape}, the image {image.shape}: expected (H, W), or planes (K, H, W)."
        )
    away = np.abs(planes.sum(axis=0, dtype=np.float64) - 1).max()
    if away > CLOSE + _ROUNDING * len(planes):
        refined = np.stack([each(image, np.ascontiguousarray(plane)) for plane in planes])
        return refined if soft else refined > threshold
    has_border = sum(not is_empty(plane) for plane in planes) > 1
    refined = refine_planes(one, image, planes) if has_border else planes.copy()
    if soft:
        return refined
    ids = most_probable(refined, planes.argmax(axis=0).astype(np.uint16))
    return np.arange(len(planes))[:, None, None] == ids
