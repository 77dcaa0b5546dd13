"""The decoder's kernels, which :mod:`spnrefine.model.decoder_on_cpu` runs."""

from spnrefine.model.decoder_on_cpu import KEPT, parts
from spnrefine.model.kernel_weights import HIDDEN
from spnrefine.model.row_kernels import ANY, PLANES, VECTORS, clear, copy, cut
from spnrefine.model.winograd import SEEN, SIDE
from spnrefine.model.winograd_kernels import combined, down, rows_from
from spnrefine.ops.cpu.planar import turn
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.blocks import empty_block, multiply_add_block, splat_block, store_block
from spnrefine.simd.compiling import inlined, kernel, part
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
            at = inputs + row % SEEN * count * pitch + LANES
            if not 0 <= row < height:
                clear(scratch, at, count, pitch, width)
                continue
            for half in range(widened + 1, min((row + 1) // 2 + 1, height // 2)):
                _widen(pointer(state), half * (width // 2) * channels, width // 2, channels, scratch, wide, half % 2)
                widened = half
            _upsample(scratch, wide, row, height, width, channels, at, pitch)
            step, to = height * width, at + channels * pitch
            copy(pointer(detail), row * width, step, details, scratch, to, pitch, width)
            copy(pointer(mask), row * width, step, masks, scratch, to + details * pitch, pitch, width)
        _transform(scratch, inputs, group - 1, count, pitch, width, points)
        _multiply(scratch, points, count, pitch, width, pointer(first), products)
        _combine(scratch, products, width, pointer(shift), hidden, group, pitch)
        if group == 0:
            clear(scratch, hidden + (KEPT - 1) * HIDDEN * pitch + LANES, HIDDEN, pitch, width)
        if group + SIDE == height:
            clear(scratch, hidden + height % KEPT * HIDDEN * pitch + LANES, HIDDEN, pitch, width)
        for row in range(max(group - 1, y), min(group + SIDE - (group + SIDE < height), end)):
            _gather(scratch, hidden, row, pitch, width, pointer(last), pointer(bias), pointer(out), row * width)


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


@kernel
def _transform(scratch, inputs, first, count, pitch, width, to):
    """Make of each column of six rows of inputs, from row ``first`` on, what its factors are multiplied with."""
    rows, step = rows_from(inputs, first, count * pitch), count * pitch
    for channel in range(count):
        for x in range(0, width, LANES):
            at = channel * pitch + LANES + x
            made = down(scratch, rows, at)
            for point in range(SEEN):
                store(scratch, to + at + point * step, made[point], None)


@kernel
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


@kernel
def _combine(scratch, products, width, shift, hidden, first, pitch):
    """Make ``SIDE`` rows of hidden channels, from row ``first`` on, of the sums."""
    step, size = HIDDEN * width, HIDDEN * pitch
    for channel in range(HIDDEN):
        added = splat(scratch, load_one(shift, channel))
        to = hidden + channel * pitch + LANES
        for x in range(0, width, LANES):
            at = products + channel * width + x
            a, b, c = _three(scratch, at, step)
            d, e, f = _three(scratch, at + 3 * step, step)
            made = combined(a, b, c, d, e, f)
            for row in range(SIDE):
                store(scratch, to + (first + row) % KEPT * size + x, cut(made[row] + added), None)


@inlined
def _three(scratch, at, step):
    return load(scratch, at, None), load(scratch, at + step, None), load(scratch, at + 2 * step, None)


@kernel
def _gather(scratch, hidden, row, pitch, width, last, bias, out, to):
    """Make a row of logits of the hidden rows about it."""
    whole = width // (FOUR * LANES) * FOUR * LANES  # then two vectors may be left
    for x in range(0, whole, FOUR * LANES):
        sums = splat_block(bias, 0, 1, FOUR)
        for ky in range(3):
            at = hidden + (row - 1 + ky) % KEPT * HIDDEN * pitch + LANES + x - 1
            for c in range(HIDDEN):
                for kx in range(3):
                    sums = multiply_add_block(sums, last, (c * 3 + ky) * 3 + kx, scratch, at + c * pitch + kx)
        store_block(sums, -ANY, ANY, out, to + x, 0, LANES)
    for x in range(whole, width, TWO * LANES):
        sums = splat_block(bias, 0, 1, TWO)
        for ky in range(3):
            at = hidden + (row - 1 + ky) % KEPT * HIDDEN * pitch + LANES + x - 1
            for c in range(HIDDEN):
                for kx in range(3):
                    sums = multiply_add_block(sums, last, (c * 3 + ky) * 3 + kx, scratch, at + c * pitch + kx)
        store_block(sums, -ANY, ANY, out, to + x, 0, LANES)
