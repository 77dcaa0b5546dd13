"""The decoder's kernels, which :mod:`spnrefine.model.decoder_on_cpu` runs."""

import numpy as np

from spnrefine.model.decoder_on_cpu import STRIP, parts
from spnrefine.model.kernel_weights import HIDDEN
from spnrefine.ops.cpu.planar import turn
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.blocks import multiply_add_block, splat_block, store_block
from spnrefine.simd.compiling import inlined, kernel, part
from spnrefine.simd.shuffles import zipped
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old
from spnrefine.simd.vectors import LANES, load, load_one, pointer, splat, store, store_one

VECTORS = 1
"""How many vectors of a row are convolved at once: no more would fit into the registers of AVX2, nor help AVX-512."""

_parts = inlined(parts)


@part
def decode(control, shape, state, detail, mask, first, shift, last, bias, out, scratch):
    """Decode strip after strip; called by several threads at once, which share the work, but not rows of scratch."""
    height = shape[0]
    rows = scratch[add_and_fetch_old(control, ENTERED)]
    while True:
        y = add_and_fetch_old(control, CLAIMED) * STRIP
        if y >= height:
            return
        _decode_strip(y, min(y + STRIP, height), shape, state, detail, mask, first, shift, last, bias, out, rows)
        add_and_fetch_old(control, DONE)


@part
def _decode_strip(y, end, shape, state, detail, mask, first, shift, last, bias, out, scratch_array):
    """Decode rows ``y`` to ``end``: one more row of inputs at a time, and of hidden channels and logits behind it."""
    height, width, channels, details, masks = shape
    scratch = pointer(scratch_array)
    wide, inputs, hidden, _ = _parts(height, width, channels, details, masks)
    pitch, count = width + 2 * LANES, channels + details + masks
    widened = max(y // 2 - 3, -1)  # the last row of the state that was
    for row in range(y - 2, end + 2):
        at = inputs + row % 3 * count * pitch + LANES
        if 0 <= row < height:
            for half in range(widened + 1, min((row + 1) // 2 + 1, height // 2)):
                _widen(pointer(state), half * (width // 2) * channels, width // 2, channels, scratch, wide, half % 2)
                widened = half
            _upsample(scratch, wide, row, height, width, channels, at, pitch)
            _copy(pointer(detail), row * width, height * width, details, scratch, at + channels * pitch, pitch, width)
            _copy(
                pointer(mask), row * width, height * width, masks, scratch, at + (count - masks) * pitch, pitch, width
            )
        else:
            _clear(scratch, at, count, pitch, width)
        if row >= y:  # rows row - 2 to row are there
            at = hidden + (row - 1) % 3 * HIDDEN * pitch + LANES
            if 0 < row <= height:
                _convolve(scratch, inputs, row, count, pitch, width, pointer(first), pointer(shift), at)
            else:
                _clear(scratch, at, HIDDEN, pitch, width)
        if row >= y + 2:
            _gather(
                scratch, hidden, row - 1, pitch, width, pointer(last), pointer(bias), pointer(out), (row - 2) * width
            )


@kernel
def _widen(state, at, length, channels, scratch, wide, slot):
    """Turn a row (``length``, ``channels``) of the state to planes, twice as wide."""
    pitch = length + 2 * LANES
    turn(state, at, channels, length, channels, scratch, LANES, pitch)
    quarter, rest = splat(scratch, 0.25), splat(scratch, 0.75)
    for c in range(channels):
        row, to = c * pitch + LANES, wide + (slot * channels + c) * 2 * length
        store_one(scratch, row - 1, load_one(scratch, row))
        store_one(scratch, row + length, load_one(scratch, row + length - 1))
        for i in range(0, length, LANES):
            centre = load(scratch, row + i, LANES) * rest
            left = multiply_add(load(scratch, row + i - 1, LANES), quarter, centre)
            right = multiply_add(load(scratch, row + i + 1, LANES), quarter, centre)
            first, last = zipped(left, right)
            store(scratch, to + 2 * i, first, LANES)
            store(scratch, to + 2 * i + LANES, last, LANES)


@kernel
def _upsample(scratch, wide, row, height, width, channels, to, pitch):
    """Make a row of the upsampled state from the two widened rows about it."""
    near, other = row // 2, row // 2 + (row % 2) * 2 - 1
    other = min(max(other, 0), height // 2 - 1)
    quarter, rest = splat(scratch, 0.25), splat(scratch, 0.75)
    a, b = wide + near % 2 * channels * width, wide + other % 2 * channels * width
    for c in range(channels):
        for x in range(0, width, LANES):
            far = load(scratch, b + c * width + x, LANES) * quarter
            store(scratch, to + c * pitch + x, multiply_add(load(scratch, a + c * width + x, LANES), rest, far), LANES)


@inlined
def _copy(source, at, step, count, scratch, to, pitch, width):
    for c in range(count):
        for x in range(0, width, LANES):
            store(scratch, to + c * pitch + x, load(source, at + c * step + x, LANES), LANES)


@inlined
def _clear(scratch, to, count, pitch, width):
    for c in range(count):
        for x in range(0, width, LANES):
            store(scratch, to + c * pitch + x, splat(scratch, 0), LANES)


@kernel
def _convolve(scratch, inputs, row, count, pitch, width, first, shift, to):
    """Make a row of hidden channels of the rows about it: convolution and ReLU6."""
    for x in range(0, width, VECTORS * LANES):
        sums = splat_block(shift, 0, HIDDEN, VECTORS)
        for ky in range(3):
            at = inputs + (row - 2 + ky) % 3 * count * pitch + LANES + x - 1
            factors = ky * 3 * HIDDEN
            for _ in range(count):
                for kx in range(3):
                    sums = multiply_add_block(sums, first, factors + kx * HIDDEN, scratch, at + kx)
                factors += 9 * HIDDEN
                at += pitch
        store_block(sums, np.float32(0), np.float32(6), scratch, to + x, pitch)


@kernel
def _gather(scratch, hidden, row, pitch, width, last, bias, out, to):
    """Make a row of logits of the hidden rows about it."""
    most = np.float32(np.inf)
    for x in range(0, width, VECTORS * LANES):
        sums = splat_block(bias, 0, 1, VECTORS)
        for ky in range(3):
            at = hidden + (row - 2 + ky) % 3 * HIDDEN * pitch + LANES + x - 1
            for c in range(HIDDEN):
                for kx in range(3):
                    sums = multiply_add_block(sums, last, (c * 3 + ky) * 3 + kx, scratch, at + c * pitch + kx)
        store_block(sums, -most, most, out, to + x, 0)
