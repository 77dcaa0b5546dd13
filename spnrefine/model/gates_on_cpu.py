"""The guidance network's last layer on the CPU: gates, written once and as the propagation reads them fastest.

It makes more numbers than all others together: for each pixel, six times as many as it takes.
"""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.kernel_weights import GatesWeights
from spnrefine.simd.blocks import multiply_add_block, repeat_block, stream_block
from spnrefine.simd.compiling import kernel
from spnrefine.simd.memory import empty
from spnrefine.simd.threads import CLAIMED, DONE, TEAM, add_and_fetch_old
from spnrefine.simd.vectors import LANES, pointer

PIXELS, VECTORS = 4, 4
"""The block that is computed at once; the numbers of pixels and of gates are multiples of it."""

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
    TEAM.run(_gates, ((pixels, count, size), *arrays), portions, threads)
    return out


@kernel
def _gates(control, shape, features_array, weight_array, bias_array, out_array):
    """Compute portion after portion; called by several threads at once, which share the work."""
    features, weight, bias = pointer(features_array), pointer(weight_array), pointer(bias_array)
    out = pointer(out_array)
    pixels, count, size = shape
    while True:
        first = add_and_fetch_old(control, CLAIMED) * PORTION
        if first >= pixels:
            return
        for pixel in range(first, min(first + PORTION, pixels), PIXELS):
            for gate in range(0, size, VECTORS * LANES):
                sums = repeat_block(bias, gate, PIXELS, VECTORS)
                for c in range(count):
                    sums = multiply_add_block(sums, features, c * pixels + pixel, weight, c * size + gate)
                stream_block(sums, out, pixel * size + gate, size)
        add_and_fetch_old(control, DONE)
