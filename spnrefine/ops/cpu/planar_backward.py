"""The gradient of sweeps over planar memory; arrays, strips and names as in ``planar.py``.

The same scan the other way round: what flows to a pixel is its own gradient and what its three successors pass on.
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
from spnrefine.ops.cpu.planar import line_gates, turn, without_first
from spnrefine.ops.cpu.taps import gate_scale, raw_gradients
from spnrefine.simd.arithmetic import multiply_add, where_equal
from spnrefine.simd.compiling import kernel, part
from spnrefine.simd.shuffles import advanced, joined
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old, wait_until_done
from spnrefine.simd.vectors import LANES, load, pointer, splat, store, store_one


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
            a, b, e = line_gates(guidance, at, tap_step, taps, k, length)
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
                    da = without_first(da)
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


@part
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
    pitch = padded // LANES // 2 * 2 * LANES + LANES  # rows of strips: an odd number of cache lines apart
    tap_step, table = channels * plane, STRIP * pitch
    across = table // pitch  # STRIP, but no constant, for which ``turn`` would be compiled once more
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
                    turn(guidance, gates + tap * tap_step + low, width, height, count, strips, tap * table, pitch)
                turn(x, image + low, width, height, count, strips, 3 * table, pitch)
                turn(strips, 4 * table, across, height, count, strips, 5 * table, pitch)
            for s in range(count):
                i = s if reverse else count - 1 - s
                first, final = t_end - 1 - s == 0, t_end - s == lines
                source = states_at + (low + i) * length + to_source
                if horizontal:
                    row = i * pitch
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
                    turn(strips, tap * table, pitch, count, height, dguidance, gates + tap * tap_step + low, width)
                turn(strips, 5 * table, pitch, count, height, strips, 4 * table, across)
                for k in range(height):
                    for i in range(0, count, LANES):
                        at = image + k * width + low + i
                        change = load(strips, 4 * table + k * STRIP + i, count - i)
                        if not fresh:
                            change = change + load(dx, at, count - i)
                        store(dx, at, change, count - i)
