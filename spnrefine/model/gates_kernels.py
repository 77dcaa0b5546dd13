"""The kernel of the gates, which :mod:`spnrefine.model.gates_on_cpu` runs."""

from spnrefine.model.gates_on_cpu import PORTION
from spnrefine.simd.blocks import multiply_add_block, repeat_block, stream_block
from spnrefine.simd.compiling import part
from spnrefine.simd.threads import CLAIMED, DONE, add_and_fetch_old
from spnrefine.simd.vectors import LANES, pointer

PIXELS, VECTORS = 4, 4
"""The block that is computed at once; the numbers of pixels and of gates are multiples of it."""


@part
def gates(control, shape, features_array, weight_array, bias_array, out_array):
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
