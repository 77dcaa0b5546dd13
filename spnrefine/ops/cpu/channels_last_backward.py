"""The gradient of sweeps over channels-last memory; arrays, tiles and names as in ``channels_last.py``.

The same scan the other way round: what flows to a pixel is its own gradient and what its three successors pass on.
"""

from spnrefine.ops.cpu.channels_last import prefetch_taps, rest, tap, tile_size, to_later, walk
from spnrefine.ops.cpu.plan import (
    CHANNEL,
    CHANNEL_END,
    DIRECTION,
    EDGES,
    FIRST,
    FRESH,
    IMAGE,
    LAST,
    LINE,
    LINE_END,
    WAIT,
    WAY,
)
from spnrefine.ops.cpu.taps import gate_scale, raw_gradients
from spnrefine.simd.arithmetic import total, where_equal
from spnrefine.simd.compiling import inlined, kernel, part
from spnrefine.simd.threads import CLAIMED, DONE, add_and_fetch_old, wait_until_done
from spnrefine.simd.vectors import LANES, load, load_one, pointer, prefetch, splat, store, store_one, stream


@kernel
def backward(control, plan, shape, floor, shared, partial, grad, x, guidance, line, saved, dx, dguidance):
    """Run every sweep of ``plan`` the other way round; called by several threads at once."""
    sweeps, tasks = plan
    while True:
        task = add_and_fetch_old(control, CLAIMED)
        if task >= len(tasks):
            return
        wait_until_done(control, tasks[task, WAIT])
        for i in range(tasks[task, FIRST], tasks[task, LAST]):
            _backward_sweep(sweeps[i], shape, floor, shared, partial, grad, x, guidance, line, saved, dx, dguidance)
        add_and_fetch_old(control, DONE)


@part
def _backward_sweep(
    sweep, shape, floor, shared, partial, grad_array, x_array, guidance_array, line_array, saved, dx_array,
    dguidance_array,
):  # fmt: skip
    grad, x, guidance, line = pointer(grad_array), pointer(x_array), pointer(guidance_array), pointer(line_array)
    states, winner, dx, dguidance = pointer(saved[0]), pointer(saved[1]), pointer(dx_array), pointer(dguidance_array)
    height, width, channels, directions, taps, group = shape
    n, d, fresh = sweep[IMAGE], sweep[WAY], sweep[FRESH]
    start, line_step, step, length = walk(sweep[DIRECTION], height, width)
    start += n * height * width
    tile_lines, tile_length = tile_size(sweep[DIRECTION], length)
    per_pixel, gates = directions * taps * group, d * taps * group
    outer = group if taps == 3 else 0
    first, last = (1, length - 1) if taps == 3 else (length, 0)
    padded = -(-channels // LANES) * LANES
    line_start = (n * directions + d) * (max(height, width) + EDGES) * padded
    edges = line_start + max(height, width) * padded
    to_source = ((n * (directions - 1) + d) * height * width - line_step) * channels
    final = height * width // length - 1
    one, nothing, limit, this = splat(x, 1), splat(x, 0), splat(x, floor), splat(winner, d)
    vectors = -((sweep[CHANNEL] - sweep[CHANNEL_END]) // LANES)
    to_next, gates_to_next = step * channels - vectors * LANES, step * per_pixel - vectors * LANES
    ahead, near, far = to_later(sweep[DIRECTION], length, step, -line_step)
    for t0 in range(sweep[LINE_END] - 1, sweep[LINE] - 1, -tile_lines):
        lines = min(tile_lines, t0 + 1 - sweep[LINE])
        for k0 in range(0, length + lines - 1, tile_length):
            for c in range(sweep[CHANNEL], sweep[CHANNEL_END], LANES):
                count = rest(partial, channels, c)
                portion = (c - sweep[CHANNEL]) // LANES * tile_length // vectors  # of a line, fetched with these
                for s in range(lines):
                    t = t0 - s
                    begin, end = max(k0 - s, 0), min(k0 - s + tile_length, length)
                    pixel = start + t * line_step + begin * step
                    centre_at = pixel * per_pixel + gates + outer + (c if shared is None else 0)
                    at = pixel * channels + c
                    here = line_start + begin * padded + c
                    edge = edges + 2 * s * padded + c
                    # What flows to a pixel of the line before comes from three of this one: two wait for the third.
                    waiting, from_before = nothing, nothing
                    if begin > 0:
                        waiting, from_before = load(line, edge, None), load(line, edge + padded, None)
                    h_before, h_centre = nothing, nothing
                    if t > 0 and begin < end:
                        h_centre = load(states, at + to_source, count)
                        if begin > 0:
                            h_before = load(states, at + to_source - step * channels, count)
                    later = pixel + (near if begin + ahead < length else far) + portion * step
                    gates_later = later * per_pixel + gates + outer + sweep[CHANNEL]
                    later = later * channels + sweep[CHANNEL]
                    left = vectors
                    for k in range(begin, end):
                        prefetch_taps(guidance, gates_later, outer)
                        prefetch(x, later)
                        prefetch(grad, later)
                        prefetch(dx, later)
                        prefetch(states, later + to_source)
                        later += LANES
                        gates_later += LANES
                        left -= 1
                        if left == 0:
                            left = vectors
                            later += to_next
                            gates_later += gates_to_next
                        flow = load(grad, at, count)
                        flow = where_equal(load(winner, at, count), this, flow, nothing)
                        if t < final:
                            flow = flow + load(line, here, None)
                        share_of_x, da, db, de = one, nothing, nothing, nothing
                        to_before, to_centre, to_after = nothing, nothing, nothing
                        if t > 0:
                            h_after = nothing
                            if k + 1 < length:
                                h_after = load(states, at + to_source + step * channels, count)
                            value = load(x, at, count)
                            a = tap(guidance, centre_at - outer, shared, count) if k >= first else nothing
                            b = tap(guidance, centre_at, shared, count)
                            e = tap(guidance, centre_at + outer, shared, count) if k < last else nothing
                            size, scale = gate_scale(a, b, e, limit)
                            share_of_x = one - (a + b + e) * scale
                            scaled = flow * scale
                            to_before, to_centre, to_after = a * scaled, b * scaled, e * scaled
                            da = scaled * (h_before - value) if k >= first else nothing
                            db = scaled * (h_centre - value)
                            de = scaled * (h_after - value) if k < last else nothing
                            da, db, de = raw_gradients(a, b, e, da, db, de, size, scale, limit)
                            h_before, h_centre = h_centre, h_after
                        if k > 0:
                            store(line, here - padded, waiting + to_before, None)
                        waiting, from_before = to_centre + from_before, to_after
                        if taps == 3:
                            _store_tap(dguidance, centre_at - outer, shared, count, c, da)
                            _store_tap(dguidance, centre_at + outer, shared, count, c, de)
                        _store_tap(dguidance, centre_at, shared, count, c, db)
                        change = share_of_x * flow
                        if not fresh:
                            change = change + load(dx, at, count)
                        store(dx, at, change, count)
                        at += step * channels
                        centre_at += step * per_pixel
                        here += padded
                    if end == length:
                        store(line, line_start + (length - 1) * padded + c, waiting, None)
                    store(line, edge, waiting, None)
                    store(line, edge + padded, from_before, None)


@inlined
def _store_tap(dguidance, at, shared, count, c, value):
    if shared is None:
        stream(dguidance, at, value, count)
    else:
        store_one(dguidance, at, total(value) + (load_one(dguidance, at) if c > 0 else 0))
