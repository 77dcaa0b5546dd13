"""Sweeps over planar memory, (N, C, H, W) and (N, D, T, C, H, W): vectors run along a line of one channel's image.

In vertical scans a line is a row and lies in memory as it is. Horizontal scans go through strips of columns: gates and
input are turned into rows of scratch that stays in the cache, and the result is turned back. The states that forward
saves are one line after the other, rows in vertical scans and columns in horizontal ones; ``winner`` is (N, C, H, W).
``line`` holds, for each image, direction and channel, the last line of the recurrence.
"""

from spnrefine.ops.cpu_lanes import gate_scale, merge, raw_gradients
from spnrefine.ops.cpu_plan import CHANNEL, CHANNEL_END, DIRECTION, FIRST, FRESH, IMAGE, LAST, LINE, LINE_END, WAIT, WAY
from spnrefine.ops.cpu_simd import (
    LANES,
    advanced,
    joined,
    load,
    load_one,
    multiply_add,
    pointer,
    splat,
    store,
    store_one,
    transpose_block,
    where_equal,
)
from spnrefine.ops.cpu_threads import CLAIMED, DONE, ENTERED, add_and_fetch_old, inlined, kernel, wait_until_done

STRIP = 64
"""Columns in a strip."""

TABLES = 6
"""How many tables of a strip's size the scratch of one thread holds."""


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
def backward(control, plan, shape, floor, grad, x, guidance, line, saved, dx, dguidance, scratch):
    """Run every sweep of ``plan`` the other way round; called by several threads at once."""
    sweeps, tasks = plan
    strips = scratch[add_and_fetch_old(control, ENTERED)]
    while True:
        task = add_and_fetch_old(control, CLAIMED)
        if task >= len(tasks):
            return
        wait_until_done(control, tasks[task, WAIT])
        for i in range(tasks[task, FIRST], tasks[task, LAST]):
            _backward_sweep(sweeps[i], shape, floor, grad, x, guidance, line, saved, dx, dguidance, strips)
        add_and_fetch_old(control, DONE)


@kernel
def _turn(source, at, stride, rows, columns, target, to, target_stride):
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
def _without_first(a):
    """``a`` with lane 0 set to 0."""
    nothing = splat(a, 0)
    return joined(nothing, advanced(a, nothing))


@inlined
def _copy(source, at, target, to, length):
    for k in range(0, length, LANES):
        store(target, to + k, load(source, at + k, length - k), length - k)


@inlined
def _gates(guidance, at, tap_step, taps, k, length):
    """The raw taps of a vector of pixels, 0 where their source lies outside the line."""
    nothing = splat(guidance, 0)
    if taps == 1:
        return nothing, load(guidance, at + k, length - k), nothing
    a = load(guidance, at + k, length - k)
    if k == 0:
        a = _without_first(a)
    return a, load(guidance, at + tap_step + k, length - k), load(guidance, at + 2 * tap_step + k, length - k - 1)


@kernel
def _forward_line(first, guidance, at, tap_step, taps, floor, x, x_at, line, here, length):
    """Advance ``line`` by one line, whose gates start at ``at``."""
    one, nothing = splat(x, 1), splat(x, 0)
    bound, previous = splat(x, floor), nothing
    for k in range(0, length, LANES):
        h = load(x, x_at + k, length - k)
        if not first:
            a, b, e = _gates(guidance, at, tap_step, taps, k, length)
            _, scale = gate_scale(a, b, e, bound)
            centre = load(line, here + k, length - k)
            before, after = joined(previous, centre), load(line, here + k + 1, length - k - 1)
            previous = centre
            flow = multiply_add(a, before, multiply_add(b, centre, e * after))
            h = multiply_add(one - (a + b + e) * scale, h, flow * scale)
        store(line, here + k, h, length - k)


@kernel
def _forward_sweep(sweep, shape, floor, x_array, guidance_array, out_array, line_array, saved, strips_array):
    x, guidance, out, line = pointer(x_array), pointer(guidance_array), pointer(out_array), pointer(line_array)
    strips = pointer(strips_array)
    height, width, channels, directions, taps = shape
    n, d, fresh = sweep[IMAGE], sweep[WAY], sweep[FRESH]
    horizontal, reverse = sweep[DIRECTION] < 2, sweep[DIRECTION] % 2 == 1
    length, lines = (height, width) if horizontal else (width, height)
    plane, padded = height * width, len(line_array) // (len(x_array) // (height * width) * directions)
    tap_step, table = channels * plane, STRIP * padded
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
                    _turn(guidance, gates + tap * tap_step + low, width, height, count, strips, tap * table, padded)
                _turn(x, image + low, width, height, count, strips, 3 * table, padded)
            for s in range(count):
                i = count - 1 - s if reverse else s
                first, row = t0 + s == 0, i * padded
                if horizontal:
                    _forward_line(first, strips, row, table, taps, floor, strips, 3 * table + row, line, here, length)
                    _copy(line, here, strips, 3 * table + row, length)
                else:
                    row = (low + i) * width
                    _forward_line(
                        first, guidance, gates + row, tap_step, taps, floor, x, image + row, line, here, length
                    )
                    for k in range(0, length, LANES):
                        h = load(line, here + k, length - k)
                        merge(h, d, fresh, image + row + k, length - k, out, saved)
                if saved is not None:
                    _copy(line, here, pointer(saved[0]), states_at + (low + i) * length, length)
            if horizontal:
                _turn(strips, 3 * table, padded, count, height, strips, 0, STRIP)
                for k in range(height):
                    for i in range(0, count, LANES):
                        h = load(strips, k * STRIP + i, count - i)
                        merge(h, d, fresh, image + k * width + low + i, count - i, out, saved)


@kernel
def _backward_line(
    first, final, guidance, at, tap_step, taps, floor, x, x_at, flow_in, flow_at, states, source, line, here, dx, dx_at,
    dgates, dgates_at, dtap_step, fresh, length,
):  # fmt: skip
    """Take ``line``, what flows to this line from the next, to what flows from it to the one before."""
    nothing, bound = splat(x, 0), splat(x, floor)
    waiting, last_before, last_after, last_h = nothing, nothing, nothing, nothing
    for k in range(0, length, LANES):
        count = length - k
        flow = load(flow_in, flow_at + k, count)
        if not final:
            flow = flow + load(line, here + k, count)
        change, da, db, de = flow, nothing, nothing, nothing
        if not first:
            a, b, e = _gates(guidance, at, tap_step, taps, k, length)
            size, scale = gate_scale(a, b, e, bound)
            value = load(x, x_at + k, count)
            centre = load(states, source + k, count)
            before, after = joined(last_h, centre), load(states, source + k + 1, count - 1)
            last_h = centre
            scaled = flow * scale
            change = multiply_add(nothing - (a + b + e), scaled, flow)
            to_before, to_after = a * scaled, e * scaled
            if taps == 3:
                da, de = scaled * (before - value), scaled * (after - value)
                if k == 0:
                    da = _without_first(da)
            db = scaled * (centre - value)
            da, db, de = raw_gradients(a, b, e, da, db, de, size, scale, bound)
            if k > 0:
                store(line, here + k - LANES, waiting + advanced(last_before, to_before), LANES)
            waiting = multiply_add(b, scaled, joined(last_after, to_after))
            last_before, last_after = to_before, to_after
        if taps == 3:
            store(dgates, dgates_at + k, da, count)
            store(dgates, dgates_at + dtap_step + k, db, count)
            store(dgates, dgates_at + 2 * dtap_step + k, de, count - 1)
            if count <= LANES:
                store_one(dgates, dgates_at + 2 * dtap_step + length - 1, 0)
        else:
            store(dgates, dgates_at + k, db, count)
        if not fresh:
            change = change + load(dx, dx_at + k, count)
        store(dx, dx_at + k, change, count)
    if not first:
        k = (length - 1) // LANES * LANES
        store(line, here + k, waiting + advanced(last_before, nothing), length - k)


@kernel
def _backward_sweep(
    sweep, shape, floor, grad_array, x_array, guidance_array, line_array, saved, dx_array, dguidance_array, strips_array
):
    grad, x, guidance, line = pointer(grad_array), pointer(x_array), pointer(guidance_array), pointer(line_array)
    states, winner, dx, dguidance = pointer(saved[0]), pointer(saved[1]), pointer(dx_array), pointer(dguidance_array)
    strips = pointer(strips_array)
    height, width, channels, directions, taps = shape
    n, d, fresh = sweep[IMAGE], sweep[WAY], sweep[FRESH]
    horizontal, reverse = sweep[DIRECTION] < 2, sweep[DIRECTION] % 2 == 1
    length, lines = (height, width) if horizontal else (width, height)
    plane, padded = height * width, len(line_array) // (len(x_array) // (height * width) * directions)
    tap_step, table = channels * plane, STRIP * padded
    size = STRIP if horizontal else 1
    this, nothing = splat(winner, d), splat(x, 0)
    to_source = length if reverse else -length
    for c in range(sweep[CHANNEL], sweep[CHANNEL_END]):
        image = (n * channels + c) * plane
        gates = ((n * directions + d) * taps * channels + c) * plane
        here = ((n * directions + d) * channels + c) * padded
        states_at = ((n * directions + d) * channels + c) * plane
        for t_end in range(sweep[LINE_END], sweep[LINE], -size):
            count = min(size, t_end - sweep[LINE])
            low = lines - t_end if reverse else t_end - count
            # the gradient of this direction's scan: that of the result, where this direction was the maximum
            for k in range(height if horizontal else 1):
                row = image + (k * width + low if horizontal else low * width)
                part = count if horizontal else length
                for i in range(0, part, LANES):
                    won = load(winner, row + i, part - i)
                    flow = where_equal(won, this, load(grad, row + i, part - i), nothing)
                    store(strips, 4 * table + k * STRIP + i, flow, part - i)
            if horizontal:
                for tap in range(taps):
                    _turn(guidance, gates + tap * tap_step + low, width, height, count, strips, tap * table, padded)
                _turn(x, image + low, width, height, count, strips, 3 * table, padded)
                _turn(strips, 4 * table, STRIP, height, count, strips, 5 * table, padded)
            for s in range(count):
                i = s if reverse else count - 1 - s
                first, final = t_end - 1 - s == 0, t_end - s == lines
                source = states_at + (low + i) * length + to_source
                if horizontal:
                    row = i * padded
                    _backward_line(
                        first, final, strips, row, table, taps, floor, strips, 3 * table + row, strips, 5 * table + row,
                        states, source, line, here, strips, 5 * table + row, strips, row, table, True, length,
                    )  # fmt: skip
                else:
                    row = (low + i) * width
                    _backward_line(
                        first, final, guidance, gates + row, tap_step, taps, floor, x, image + row, strips, 4 * table,
                        states, source, line, here, dx, image + row, dguidance, gates + row, tap_step, fresh, length,
                    )  # fmt: skip
            if horizontal:
                for tap in range(taps):
                    _turn(strips, tap * table, padded, count, height, dguidance, gates + tap * tap_step + low, width)
                _turn(strips, 5 * table, padded, count, height, strips, 4 * table, STRIP)
                for k in range(height):
                    for i in range(0, count, LANES):
                        at = image + k * width + low + i
                        change = load(strips, 4 * table + k * STRIP + i, count - i)
                        if not fresh:
                            change = change + load(dx, at, count - i)
                        store(dx, at, change, count - i)
