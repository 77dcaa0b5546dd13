"""Sweeps over planar memory, (N, C, H, W) and (N, D, T, C, H, W): vectors run along a line of one channel's image.

In vertical scans a line is a row and lies in memory as it is. Horizontal scans go through strips of columns: gates and
input are turned into rows of scratch that stays in the cache, a line's result takes its input's place, and is turned
back, some rows at a time. The states that forward
saves are one line after the other, rows in vertical scans and columns in horizontal ones; ``winner`` is (N, C, H, W).
``line`` holds, for each image, direction and channel, the last line of the recurrence.
"""

from spnrefine.ops.cpu.plan import (
    CHANNEL,
    CHANNEL_END,
    DIRECTION,
    FIRST,
    FRESH,
    IMAGE,
    LAST,
    LINE,
    LINE_END,
    STRIP,
    WAIT,
    WAY,
)
from spnrefine.ops.cpu.taps import gate_scale, merge
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.compiling import inlined, kernel, part
from spnrefine.simd.shuffles import advanced, joined, transpose_block
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old, wait_until_done
from spnrefine.simd.vectors import LANES, load, load_one, pointer, splat, store, store_one


@kernel
def forward(control, plan, shape, floor, x, guidance, out, line, saved, scratch):
    """Run every sweep of ``plan``; called by several threads at once, which share the work, but not rows of scratch."""
    sweeps, tasks = plan
    strips = scratch[add_and_fetch_old(control, ENTERED)]
    while True:
        task = add_and_fetch_old(control, CLAIMED)
        if task >= len(tasks):
            return
        wait_until_done(control, tasks[task, WAIT])
        for i in range(tasks[task, FIRST], tasks[task, LAST]):
            _forward_sweep(sweeps[i], shape, floor, x, guidance, out, line, saved, strips)
        add_and_fetch_old(control, DONE)


@kernel
def turn(source, at, stride, rows, columns, target, to, target_stride):
    """Write a table of ``rows`` by ``columns`` transposed."""
    for i in range(0, rows, LANES):
        for j in range(0, columns, LANES):
            if i + LANES <= rows and j + LANES <= columns:
                transpose_block(source, at + i * stride + j, stride, target, to + j * target_stride + i, target_stride)
            else:
                for k in range(i, min(i + LANES, rows)):
                    for m in range(j, min(j + LANES, columns)):
                        store_one(target, to + m * target_stride + k, load_one(source, at + k * stride + m))


@inlined
def without_first(a):
    """``a`` with lane 0 set to 0."""
    nothing = splat(a, 0)
    return joined(nothing, advanced(a, nothing))


@inlined
def _copy(source, at, target, to, length):
    for k in range(0, length, LANES):
        store(target, to + k, load(source, at + k, length - k), length - k)


@inlined
def line_gates(guidance, at, tap_step, taps, k, length):
    """The raw taps of a vector of pixels, 0 where their source lies outside the line."""
    nothing = splat(guidance, 0)
    if taps == 1:
        return nothing, load(guidance, at + k, length - k), nothing
    a = load(guidance, at + k, length - k)
    if k == 0:
        a = without_first(a)
    return a, load(guidance, at + tap_step + k, length - k), load(guidance, at + 2 * tap_step + k, length - k - 1)


@kernel
def _forward_line(first, guidance, at, tap_step, taps, floor, x, x_at, source, before_at, target, to, length):
    """Write to ``target`` the line whose gates start at ``at``; ``source``, the same or not, has the line before.

    Each vector is read once, where it was written: to read across two that are on their way to the cache would wait.
    """
    one, nothing = splat(x, 1), splat(x, 0)
    bound, previous = splat(x, floor), nothing
    centre = load(source, before_at, length)
    for k in range(0, length, LANES):
        h = load(x, x_at + k, length - k)
        if not first:
            a, b, e = line_gates(guidance, at, tap_step, taps, k, length)
            _, scale = gate_scale(a, b, e, bound)
            following = load(source, before_at + k + LANES, length - k - LANES)
            before, after = joined(previous, centre), advanced(centre, following)
            flow = multiply_add(a, before, multiply_add(b, centre, e * after))
            h = multiply_add(one - (a + b + e) * scale, h, flow * scale)
            previous, centre = centre, following
        store(target, to + k, h, length - k)


@part
def _forward_sweep(sweep, shape, floor, x_array, guidance_array, out_array, line_array, saved, strips_array):
    x, guidance, out, line = pointer(x_array), pointer(guidance_array), pointer(out_array), pointer(line_array)
    strips = pointer(strips_array)
    height, width, channels, directions, taps = shape
    n, d, fresh = sweep[IMAGE], sweep[WAY], sweep[FRESH]
    horizontal, reverse = sweep[DIRECTION] < 2, sweep[DIRECTION] % 2 == 1
    length, lines = (height, width) if horizontal else (width, height)
    plane, padded = height * width, len(line_array) // (len(x_array) // (height * width) * directions)
    pitch = padded // LANES // 2 * 2 * LANES + LANES  # rows of strips: an odd number of cache lines apart
    tap_step, table = channels * plane, STRIP * pitch
    across = table // pitch  # STRIP, but no constant, for which ``turn`` would be compiled once more
    size = STRIP if horizontal else 1
    for c in range(sweep[CHANNEL], sweep[CHANNEL_END]):
        image = (n * channels + c) * plane
        gates = ((n * directions + d) * taps * channels + c) * plane
        here = ((n * directions + d) * channels + c) * padded
        states_at = ((n * directions + d) * channels + c) * plane
        for t0 in range(sweep[LINE], sweep[LINE_END], size):
            count = min(size, sweep[LINE_END] - t0)
            low = lines - t0 - count if reverse else t0
            if horizontal:
                for tap in range(taps):
                    turn(guidance, gates + tap * tap_step + low, width, height, count, strips, tap * table, pitch)
                turn(x, image + low, width, height, count, strips, 3 * table, pitch)
            for s in range(count):
                i = count - 1 - s if reverse else s
                first = t0 + s == 0
                if horizontal:
                    row = 3 * table + i * pitch
                    _forward_line(
                        first, strips, i * pitch, table, taps, floor, strips, row,
                        line if s == 0 else strips, here if s == 0 else row + (pitch if reverse else -pitch),
                        strips, row, length,
                    )  # fmt: skip
                    if s == count - 1:
                        _copy(strips, row, line, here, length)
                    if saved is not None:
                        _copy(strips, row, pointer(saved[0]), states_at + (low + i) * length, length)
                else:
                    row = (low + i) * width
                    _forward_line(
                        first, guidance, gates + row, tap_step, taps, floor, x, image + row,
                        line, here, line, here, length,
                    )  # fmt: skip
                    for k in range(0, length, LANES):
                        h = load(line, here + k, length - k)
                        merge(h, d, fresh, image + row + k, length - k, out, saved)
                    if saved is not None:
                        _copy(line, here, pointer(saved[0]), states_at + (low + i) * length, length)
            if horizontal:
                for k0 in range(0, height, LANES):
                    turn(strips, 3 * table + k0, pitch, count, min(LANES, height - k0), strips, 4 * table, across)
                    for k in range(k0, min(k0 + LANES, height)):
                        for i in range(0, count, LANES):
                            h = load(strips, 4 * table + (k - k0) * STRIP + i, count - i)
                            merge(h, d, fresh, image + k * width + low + i, count - i, out, saved)
