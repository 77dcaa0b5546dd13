"""The kernel of the gates, which :mod:`spnrefine.model.gates_on_cpu` runs.

The features of a pixel are brought side by side first: in memory they lie a plane apart, often a power of two, and
would turn each other out of the cache.
"""

from spnrefine.model.gates_on_cpu import BAND, MARKS, PIXELS, SIDE, SUMS, TAPS, TILE_LENGTH, WORDS
from spnrefine.model.kernel_weights import FEATURES
from spnrefine.model.walk_kernels import place, tiles_of
from spnrefine.ops.cpu.taps import gate_scale
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.blocks import keep_block, multiply_add_rows, repeat_block
from spnrefine.simd.compiling import inlined, part
from spnrefine.simd.shuffles import transpose_block
from spnrefine.simd.thirds import store_thirds
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old
from spnrefine.simd.vectors import LANES, load, pointer, splat, store

NEAR = 1 << 24
"""Bytes of gates up to which they are left to the cache: on their way to memory and back more would be waited for."""


@part
def gates(control, shape, features_array, weight_array, bias_array, out_array, scratch):
    """Compute band after band; called by several threads at once, which share the work, but not rows of scratch.

    A tap whose source lies outside the image becomes 0 before all are normalised.
    """
    features, weight, bias = pointer(features_array), pointer(weight_array), pointer(bias_array)
    out, packed = pointer(out_array), pointer(scratch[add_and_fetch_old(control, ENTERED)])
    height, width, count, planes = shape
    one, nothing = splat(bias, 1), splat(bias, 0)
    size = TAPS * LANES
    plane = tiles_of(height) * TILE_LENGTH * width
    past_cache = 4 * planes * plane * WORDS > NEAR
    unbounded = nothing  # 0, or not a number in lanes that met one
    while True:
        top = add_and_fetch_old(control, CLAIMED) * BAND
        if top >= height:
            return
        for left in range(0, width, SIDE):
            for y in range(BAND):
                for c in range(0, count, LANES):
                    at = c * height * width + (top + y) * width + left
                    transpose_block(features, at, height * width, packed, y * SIDE * FEATURES + c, FEATURES)
            for each in range(planes):
                direction = each * 4 // planes
                for i in range(0, BAND * SIDE, PIXELS):
                    sums = repeat_block(bias, each * size, PIXELS, TAPS)
                    for c in range(count):
                        at = i * FEATURES + c
                        sums = multiply_add_rows(sums, packed, at, FEATURES, weight, (each * count + c) * size)
                    line, position, line_step, step, length = _walked(
                        direction, left + i % SIDE, top + i // SIDE, height, width
                    )
                    keep_block(sums, packed, SUMS, size)
                    for at in range(SUMS, SUMS + PIXELS * size, size):
                        a = load(packed, at, None)
                        b = load(packed, at + LANES, None)
                        e = load(packed, at + 2 * LANES, None)
                        if position == 0:
                            a = nothing
                        if position == length - 1:
                            e = nothing
                        _, scale = gate_scale(a, b, e, one)
                        if line == 0:
                            scale = nothing
                        unbounded = multiply_add((a + b + e) * scale, nothing, unbounded)
                        to = each * plane + place(direction, line, position, length)
                        store_thirds(out, to * WORDS, a, b, e, scale, past_cache)
                        line += line_step
                        position += step
        store(packed, MARKS, unbounded, None)
        add_and_fetch_old(control, DONE)


@inlined
def _walked(direction, x, y, height, width):
    """Where a scan finds a pixel: its line, the position along it, steps of both to the next x, a line's length."""
    if direction == 0:
        return x, y, 1, 0, height
    if direction == 1:
        return width - 1 - x, y, -1, 0, height
    if direction == 2:
        return y, x, 0, 1, width
    return height - 1 - y, x, 0, 1, width
