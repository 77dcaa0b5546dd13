"""The guidance network's last layer on the CPU: gates, written once and as the propagation reads them fastest.

It makes more numbers than all others together: for each pixel, six times as many as it takes.
"""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.kernel_weights import GatesWeights
from spnrefine.model.routines import routine
from spnrefine.simd.memory import empty
from spnrefine.simd.team import TEAM

PORTION = 1024
"""Pixels in a task."""


def gates(features: NDArray[np.float32], weights: GatesWeights, threads: int) -> NDArray[np.float32]:
    """Apply a 1x1 convolution.

    Parameters
    ----------
    features : (F, h, w) float32 array; h * w is a multiple of 4.
    weights : of F inputs and G outputs, a multiple of 64.
    threads : at most so many.

    Returns
    -------
    (h, w, G) float32 array.
    """
    count, height, width = features.shape
    size, pixels = len(weights.bias), height * width
    out = empty((height, width, size), np.float32)
    portions = -(-pixels // PORTION)
    arrays = features.ravel(), weights.weight.ravel(), weights.bias, out.ravel()
    TEAM.run(routine("gates"), (pixels, count, size, *arrays), portions, threads, routine("wait"))
    return out
