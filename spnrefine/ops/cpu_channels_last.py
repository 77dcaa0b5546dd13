"""Sweeps over channels-last memory: a pixel's gates lie side by side, and vectors run over channels.

Flat arrays: ``x``, ``out`` and their gradients are (N, H, W, C), ``guidance`` is (N, H, W, D, T, G), the states that
forward saves are (N, D, H, W, C) and ``winner``, the direction that gave the maximum, is (N, H, W, C). All four
directions are the same loop with other steps. ``line`` holds, for each image and direction, the last line of the
recurrence, with channels rounded up to whole vectors.
"""

from spnrefine.ops.cpu_plan import (
    CHANNEL,
    CHANNEL_END,
    DIRECTION,
    FIRST,
    FRESH,
    IMAGE,
    LAST,
    LINE,
    LINE_END,
    WAIT,
    WAY,
)
from spnrefine.ops.cpu_simd import (
    LANES,
    absolute,
    load,
    multiply_add,
    prefetch,
    smaller_byte,
    splat,
    store,
    total,
    where_equal,
    where_greater,
)
from spnrefine.ops.cpu_threads import CLAIMED, DONE, add_and_fetch_old, kernel, wait_until_done


@kernel
def forward(control, plan, shape, floor, save, x, guidance, out, line, states, winner):
    """Run every sweep of ``plan``; called by several threads at once, which share the work."""
    sweeps, tasks = plan
    while True:
        task = add_and_fetch_old(control, CLAIMED)
        if task >= len(tasks):
            return
        wait_until_done(control, tasks[task, WAIT])
        for i in range(tasks[task, FIRST], tasks[task, LAST]):
            _forward_sweep(sweeps[i], shape, floor, save, x, guidance, out, line, states, winner)
        add_and_fetch_old(control, DONE)


@kernel
def backward(control, plan, shape, floor, grad, x, guidance, line, states, winner, dx, dguidance):
    """Run every sweep of ``plan`` the other way round; called by several threads at once."""
    sweeps, tasks = plan
    while True:
        task = add_and_fetch_old(control, CLAIMED)
        if task >= len(tasks):
            return
        wait_until_done(control, tasks[task, WAIT])
        for i in range(tasks[task, FIRST], tasks[task, LAST]):
            _backward_sweep(sweeps[i], shape, floor, grad, x, guidance, line, states, winner, dx, dguidance)
        add_and_fetch_old(control, DONE)


@kernel
def _walk(direction, height, width):
    """How a scan walks over pixels: the first one, the step to the next line, the step along a line, its length."""
    if direction == 0:
        return 0, 1, width, height
    if direction == 1:
        return width - 1, -1, width, height
    if direction == 2:
        return 0, width, 1, width
    return (height - 1) * width, -width, 1, width


@kernel
def _taps(guidance, at, group, taps, shared, count, first, last):
    """The raw taps of one pixel, those whose source lies outside the line set to 0."""
    nothing = splat(guidance, 0)
    if taps == 1:
        return nothing, _tap(guidance, at, shared, count), nothing
    before = nothing if first else _tap(guidance, at, shared, count)
    centre = _tap(guidance, at + group, shared, count)
    after = nothing if last else _tap(guidance, at + 2 * group, shared, count)
    return before, centre, after


@kernel
def _tap(guidance, at, shared, count):
    if shared:
        return splat(guidance, guidance[at])
    return load(guidance, at, count)


@kernel
def _forward_sweep(sweep, shape, floor, save, x, guidance, out, line, states, winner):
    height, width, channels, directions, taps, group = shape
    n, d = sweep[IMAGE], sweep[WAY]
    start, line_step, step, length = _walk(sweep[DIRECTION], height, width)
    per_pixel = directions * taps * group
    shared = group < channels
    padded = -(-channels // LANES) * LANES
    line_start = (n * directions + d) * max(height, width) * padded
    one, nothing = splat(x, 1), splat(x, 0)
    for t in range(sweep[LINE], sweep[LINE_END]):
        for c in range(sweep[CHANNEL], sweep[CHANNEL_END], LANES):
            count = min(LANES, channels - c)
            pixel = n * height * width + start + t * line_step
            at = pixel * per_pixel + d * taps * group + (0 if shared else c)
            here = line_start + c
            before, centre = nothing, load(line, here, LANES)
            for k in range(length):
                after = load(line, here + padded, LANES) if k + 1 < length else nothing
                for tap in range(taps):
                    prefetch(guidance, at + line_step * per_pixel + tap * group)
                where = pixel * channels + c
                prefetch(x, where + line_step * channels)
                prefetch(out, where + line_step * channels)
                h = load(x, where, count)
                if t > 0:
                    a, b, e = _taps(guidance, at, group, taps, shared, count, k == 0, k + 1 == length)
                    size = absolute(a) + absolute(b) + absolute(e)
                    scale = one / where_greater(size, splat(x, floor), size, one)
                    flow = multiply_add(a, before, multiply_add(b, centre, e * after))
                    h = multiply_add(one - (a + b + e) * scale, h, flow * scale)
                before, centre = centre, after
                store(line, here, h, LANES)
                _merge(
                    h,
                    n,
                    d,
                    sweep[FRESH],
                    where,
                    count,
                    save,
                    directions,
                    height * width * channels,
                    out,
                    states,
                    winner,
                )
                pixel += step
                at += step * per_pixel
                here += padded


@kernel
def _merge(h, n, d, fresh, where, count, save, directions, image, out, states, winner):
    """Keep the maximum, and for backward the state and which direction it came from."""
    if save:
        store(states, where + (n * (directions - 1) + d) * image, h, count)
    if fresh:
        store(out, where, h, count)
        if save:
            store(winner, where, splat(winner, d), count)
    else:
        best = load(out, where, count)
        store(out, where, where_greater(h, best, h, best), count)
        if save:
            old, new = load(winner, where, count), splat(winner, d)
            tied = where_equal(h, best, smaller_byte(old, new), old)
            store(winner, where, where_greater(h, best, new, tied), count)


@kernel
def _backward_sweep(sweep, shape, floor, grad, x, guidance, line, states, winner, dx, dguidance):
    height, width, channels, directions, taps, group = shape
    n, d = sweep[IMAGE], sweep[WAY]
    start, line_step, step, length = _walk(sweep[DIRECTION], height, width)
    lines = height * width // length
    per_pixel = directions * taps * group
    shared = group < channels
    padded = -(-channels // LANES) * LANES
    line_start = (n * directions + d) * max(height, width) * padded
    to_state = (n * (directions - 1) + d) * height * width * channels
    one, nothing, this = splat(x, 1), splat(x, 0), splat(winner, d)
    for t in range(sweep[LINE_END] - 1, sweep[LINE] - 1, -1):
        for c in range(sweep[CHANNEL], sweep[CHANNEL_END], LANES):
            count = min(LANES, channels - c)
            pixel = n * height * width + start + t * line_step
            at = pixel * per_pixel + d * taps * group + (0 if shared else c)
            here = line_start + c
            # What flows to a pixel of the line before comes from three of this one: two wait here for the third.
            waiting, from_before = nothing, nothing
            h_before, h_centre = nothing, nothing
            if t > 0:
                h_centre = load(states, (pixel - line_step) * channels + c + to_state, count)
            for k in range(length):
                where = pixel * channels + c
                flow = load(grad, where, count)
                flow = where_equal(load(winner, where, count), this, flow, nothing)
                if t + 1 < lines:
                    flow = flow + load(line, here, LANES)
                share, da, db, de = one, nothing, nothing, nothing
                to_before, to_centre, to_after = nothing, nothing, nothing
                if t > 0:
                    h_after = nothing
                    if k + 1 < length:
                        h_after = load(states, where + (step - line_step) * channels + to_state, count)
                    value = load(x, where, count)
                    first, last = k == 0, k + 1 == length
                    a, b, e = _taps(guidance, at, group, taps, shared, count, first, last)
                    size = absolute(a) + absolute(b) + absolute(e)
                    scale = one / where_greater(size, splat(x, floor), size, one)
                    share = one - (a + b + e) * scale
                    scaled = flow * scale
                    to_before, to_centre, to_after = a * scaled, b * scaled, e * scaled
                    da = nothing if first else scaled * (h_before - value)
                    db = scaled * (h_centre - value)
                    de = nothing if last else scaled * (h_after - value)
                    # bounded and unit: taps share one divisor, so each pulls at the others
                    pull = multiply_add(a, da, multiply_add(b, db, e * de)) * scale
                    pull = where_greater(size, splat(x, floor), pull, nothing)
                    da = da - _signed(pull, a)
                    db = db - _signed(pull, b)
                    de = de - _signed(pull, e)
                    h_before, h_centre = h_centre, h_after
                if k > 0:
                    store(line, here - padded, waiting + to_before, LANES)
                waiting, from_before = to_centre + from_before, to_after
                _store_taps(dguidance, at, group, taps, shared, count, c == 0, da, db, de)
                change = share * flow
                if not sweep[FRESH]:
                    change = change + load(dx, where, count)
                store(dx, where, change, count)
                pixel += step
                at += step * per_pixel
                here += padded
            store(line, here - padded, waiting, LANES)


@kernel
def _signed(value, sign):
    """``value`` with the sign of ``sign``: 0 where that is 0."""
    nothing = splat(value, 0)
    return where_greater(sign, nothing, value, where_greater(nothing, sign, nothing - value, nothing))


@kernel
def _store_taps(dguidance, at, group, taps, shared, count, first, a, b, e):
    if taps == 1:
        _store_tap(dguidance, at, shared, count, first, b)
    else:
        _store_tap(dguidance, at, shared, count, first, a)
        _store_tap(dguidance, at + group, shared, count, first, b)
        _store_tap(dguidance, at + 2 * group, shared, count, first, e)


@kernel
def _store_tap(dguidance, at, shared, count, first, value):
    if shared:
        dguidance[at] = total(value) + (0 if first else dguidance[at])
    else:
        store(dguidance, at, value, count)
