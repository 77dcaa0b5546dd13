"""The decoder's kernels, which :mod:`spnrefine.model.decoder_on_cpu` runs."""

import numpy as np

from spnrefine.model.decoder_on_cpu import KEPT, WIDE, parts
from spnrefine.model.kernel_weights import HIDDEN
from spnrefine.model.row_kernels import ANY, PLANES, VECTORS, clear, copy, cut
from spnrefine.model.winograd import SEEN, SIDE
from spnrefine.model.winograd_kernels import combined, down, rows_from, three, transformed
from spnrefine.ops.cpu.planar import turn
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.blocks import empty_block, multiply_add_block, splat_block, store_block
from spnrefine.simd.compiling import inlined, inner, part
from spnrefine.simd.shuffles import zipped
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old
from spnrefine.simd.vectors import LANES, load, load_one, pointer, splat, store, store_one

FOUR, TWO = 4, 2
"""Vectors of logits that are computed at once: sums that do not wait for each other."""

_parts = inlined(parts)


@part
def decode(control, shape, state, detail, mask, first, shift, last, bias, out, scratch):
    """Decode strip after strip; called by several threads at once, which share the work, but not rows of scratch."""
    height, strip = shape[0], shape[5]
    rows = scratch[add_and_fetch_old(control, ENTERED)]
    while True:
        y = add_and_fetch_old(control, CLAIMED) * strip
        if y >= height:
            return
        _decode_strip(y, min(y + strip, height), shape, state, detail, mask, first, shift, last, bias, out, rows)
        add_and_fetch_old(control, DONE)


@part
def _decode_strip(y, end, shape, state, detail, mask, first, shift, last, bias, out, scratch_array):
    """Decode rows ``y`` to ``end``: ``SIDE`` more rows of hidden channels at a time, and the logits behind them."""
    height, width, channels, details, masks = shape[:5]
    scratch = pointer(scratch_array)
    wide, inputs, points, products, hidden, _ = _parts(height, width, channels, details, masks)
    pitch, count = width + 2 * LANES, channels + details + masks
    begin, stop = max(y - SIDE, 0), min(end + SIDE, height)
    widened = max(begin // 2 - 2, -1)  # the last row of the state that was
    for group in range(begin, stop, SIDE):
        for row in range(group - 1 if group == begin else group + 1, group + SIDE + 1):
            at = inputs + row % SEEN * (count - channels) * pitch + LANES
            if not 0 <= row < height:
                clear(scratch, at, count - channels, pitch, width)
                continue
            copy(pointer(detail), row * width, height * width, details, scratch, at, pitch, width)
            copy(pointer(mask), row * width, height * width, masks, scratch, at + details * pitch, pitch, width)
        for half in range(widened + 1, min(group // 2 + 3, height // 2)):
            _widen(pointer(state), half * (width // 2) * channels, width // 2, channels, scratch, wide, half % WIDE)
            widened = half
        _transform_upsampled(scratch, wide, group, height, width, channels, pitch, points, count * pitch)
        to = points + channels * pitch
        _transform(scratch, inputs, group - 1, count - channels, pitch, width, to, count * pitch)
        _multiply(scratch, points, count, pitch, width, pointer(first), products)
        _combine(scratch, products, width, pointer(shift), hidden, group, pitch)
        if group == 0:
            clear(scratch, hidden + (KEPT - 1) * HIDDEN * pitch + LANES, HIDDEN, pitch, width)
        if group + SIDE == height:
            clear(scratch, hidden + height % KEPT * HIDDEN * pitch + LANES, HIDDEN, pitch, width)
        for row in range(max(group - 1, y), min(group + SIDE - (group + SIDE < height), end)):
            _gather(scratch, hidden, row, pitch, width, pointer(last), pointer(bias), pointer(out), row * width)


@inner
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


@inner
def _transform_upsampled(scratch, wide, group, height, width, channels, pitch, to, step):
    """Upsample six rows from row ``group - 1`` on of the four widened rows about them, and transform them.

    Above and below the picture there are zeros, for the convolution's padding, and nothing to be upsampled.
    """
    last = height // 2 - 1
    size, first = channels * width, group // 2 - 1
    a = wide + max(first, 0) % WIDE * size
    b, c = wide + (first + 1) % WIDE * size, wide + (first + 2) % WIDE * size
    d = wide + min(first + 3, last) % WIDE * size
    quarter, rest = splat(scratch, 0.25), splat(scratch, 0.75)
    above = splat(scratch, np.float32(0 if group == 0 else 1))
    below = splat(scratch, np.float32(0 if group + SIDE == height else 1))
    for channel in range(channels):
        for x in range(0, width, LANES):
            at = channel * width + x
            i, j = load(scratch, a + at, None), load(scratch, b + at, None)
            k, m = load(scratch, c + at, None), load(scratch, d + at, None)
            made = transformed(
                above * multiply_add(i, rest, j * quarter),
                multiply_add(j, rest, i * quarter),
                multiply_add(j, rest, k * quarter),
                multiply_add(k, rest, j * quarter),
                multiply_add(k, rest, m * quarter),
                below * multiply_add(m, rest, k * quarter),
            )
            _store(scratch, made, to + channel * pitch + LANES + x, step)


@inner
def _transform(scratch, inputs, first, count, pitch, width, to, step):
    """Make of each column of six rows of inputs, from row ``first`` on, what its factors are multiplied with."""
    rows = rows_from(inputs, first, count * pitch)
    for channel in range(count):
        for x in range(0, width, LANES):
            at = channel * pitch + LANES + x
            _store(scratch, down(scratch, rows, at), to + at, step)


@inlined
def _store(scratch, made, at, step):
    for point in range(SEEN):
        store(scratch, at + point * step, made[point], None)


@inner
def _multiply(scratch, points, count, pitch, width, factors, to):
    """Sum the products over the inputs and along the width, for each point and hidden channel."""
    for point in range(SEEN):
        for out in range(0, HIDDEN, PLANES):
            for x in range(0, width, VECTORS * LANES):
                sums = empty_block(factors, PLANES, VECTORS)
                at, factor = points + point * count * pitch + LANES + x - 1, point * count * 3 * HIDDEN + out
                for _ in range(count):
                    for kx in range(3):
                        sums = multiply_add_block(sums, factors, factor + kx * HIDDEN, scratch, at + kx)
                    factor += 3 * HIDDEN
                    at += pitch
                store_block(sums, -ANY, ANY, scratch, to + (point * HIDDEN + out) * width + x, width, LANES)


@inner
def _combine(scratch, products, width, shift, hidden, first, pitch):
    """Make ``SIDE`` rows of hidden channels, from row ``first`` on, of the sums."""
    step, size = HIDDEN * width, HIDDEN * pitch
    for channel in range(HIDDEN):
        added = splat(scratch, load_one(shift, channel))
        to = hidden + channel * pitch + LANES
        for x in range(0, width, LANES):
            at = products + channel * width + x
            a, b, c = three(scratch, at, step)
            d, e, f = three(scratch, at + 3 * step, step)
            made = combined(a, b, c, d, e, f)
            for row in range(SIDE):
                store(scratch, to + (first + row) % KEPT * size + x, cut(made[row] + added), None)


@inner
def _gather(scratch, hidden, row, pitch, width, last, bias, out, to):
    """Make a row of logits of the hidden rows about it."""
    whole = width // (FOUR * LANES) * FOUR * LANES  # then two vectors may be left
    for x in range(0, whole, FOUR * LANES):
        _gather_block(scratch, hidden, row, pitch, x, last, bias, FOUR, out, to)
    for x in range(whole, width, TWO * LANES):
        _gather_block(scratch, hidden, row, pitch, x, last, bias, TWO, out, to)


@inlined
def _gather_block(scratch, hidden, row, pitch, x, last, bias, vectors, out, to):
    sums = splat_block(bias, 0, 1, vectors)
    for ky in range(3):
        at = hidden + (row - 1 + ky) % KEPT * HIDDEN * pitch + LANES + x - 1
        for c in range(HIDDEN):
            for kx in range(3):
                sums = multiply_add_block(sums, last, (c * 3 + ky) * 3 + kx, scratch, at + c * pitch + kx)
    store_block(sums, -ANY, ANY, out, to + x, 0, LANES)
