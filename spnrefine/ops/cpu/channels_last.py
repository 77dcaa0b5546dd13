"""Sweeps over channels-last memory: a pixel's gates lie side by side, and vectors run over channels.

Flat arrays: ``x``, ``out`` and their gradients are (N, H, W, C), ``guidance`` is (N, H, W, D, T, G), the states that
forward saves are (N, D, H, W, C) and ``winner``, the direction that gave the maximum, is (N, H, W, C). All four
directions are the same loop with other steps. ``line`` holds, for each image and direction, the last line of the
recurrence and then the edges of a tile, with channels rounded up to whole vectors.

Memory is the limit. A line of a horizontal scan touches as many pages as it has pixels, so these scans go through
tiles of a few lines. With each vector one is fetched that comes some time later, in a horizontal scan of the next tile:
one at a time, because a core waits for a few lines of memory at once and no more, and those of a pixel in turn, because
lines come in pairs. A pixel needs three of the line before it, so a tile slants: each of its lines starts one position
before the one it follows. Tiles along a line then run one by one, and hand over, for each of their lines, what the next
tile needs of their last position.
"""

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
    TILE_LENGTH,
    TILE_LINES,
    WAIT,
    WAY,
)
from spnrefine.ops.cpu.taps import gate_scale, merge
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.compiling import inlined, kernel, part
from spnrefine.simd.threads import CLAIMED, DONE, add_and_fetch_old, wait_until_done
from spnrefine.simd.vectors import LANES, load, load_one, pointer, prefetch, splat, store, stream


@kernel
def forward(control, plan, shape, floor, shared, partial, x, guidance, out, line, saved):
    """Run every sweep of ``plan``; called by several threads at once, which share the work."""
    sweeps, tasks = plan
    while True:
        task = add_and_fetch_old(control, CLAIMED)
        if task >= len(tasks):
            return
        wait_until_done(control, tasks[task, WAIT])
        for i in range(tasks[task, FIRST], tasks[task, LAST]):
            _forward_sweep(sweeps[i], shape, floor, shared, partial, x, guidance, out, line, saved)
        add_and_fetch_old(control, DONE)


AHEAD = 48
"""How many pixels ahead a vertical scan fetches: some pages of gates, so that their addresses are looked up early."""


@inlined
def walk(direction, height, width):
    """How a scan walks over pixels: the first one, the step to the next line, the step along a line, its length."""
    if direction == 0:
        return 0, 1, width, height
    if direction == 1:
        return width - 1, -1, width, height
    if direction == 2:
        return 0, width, 1, width
    return (height - 1) * width, -width, 1, width


@inlined
def tile_size(direction, length):
    """The size of a tile, lines and positions: one line in vertical scans, which read memory in order anyway."""
    return TILE_LINES if direction < 2 else 1, min(TILE_LENGTH, length)


@inlined
def prefetch_taps(guidance, at, outer):
    """Have the three taps of a pixel fetched that lie around ``at``."""
    prefetch(guidance, at - outer)
    prefetch(guidance, at)
    prefetch(guidance, at + outer)


@inlined
def tap(guidance, at, shared, count):
    return load(guidance, at, count) if shared is None else splat(guidance, load_one(guidance, at))


@inlined
def rest(partial, channels, c):
    """How many lanes from channel ``c`` on are channels; None, all of them, where no vector is partial."""
    return None if partial is None else channels - c


@inlined
def to_later(direction, length, step, line_step):
    """What to fetch meanwhile: how many positions ahead, the step there, and the step where that is past the line."""
    lines, ahead = tile_size(direction, length)
    if lines == 1:
        ahead = min(AHEAD, length)
    return ahead, ahead * step, lines * line_step + (ahead - length) * step


@part
def _forward_sweep(sweep, shape, floor, shared, partial, x_array, guidance_array, out_array, line_array, saved):
    x, guidance, out, line = pointer(x_array), pointer(guidance_array), pointer(out_array), pointer(line_array)
    height, width, channels, directions, taps, group = shape
    n, d, fresh = sweep[IMAGE], sweep[WAY], sweep[FRESH]
    start, line_step, step, length = walk(sweep[DIRECTION], height, width)
    start += n * height * width
    tile_lines, tile_length = tile_size(sweep[DIRECTION], length)
    per_pixel, gates = directions * taps * group, d * taps * group
    outer = group if taps == 3 else 0  # from a pixel's centre tap to its before and after
    first, last = (1, length - 1) if taps == 3 else (length, 0)  # where along a line before begins and after ends
    padded = -(-channels // LANES) * LANES
    line_start = (n * directions + d) * (max(height, width) + EDGES) * padded
    edges = line_start + max(height, width) * padded
    to_state = (n * (directions - 1) + d) * height * width * channels
    one, nothing, limit = splat(x, 1), splat(x, 0), splat(x, floor)
    vectors = -((sweep[CHANNEL] - sweep[CHANNEL_END]) // LANES)
    to_next, gates_to_next = step * channels - vectors * LANES, step * per_pixel - vectors * LANES
    ahead, near, far = to_later(sweep[DIRECTION], length, step, line_step)
    for t0 in range(sweep[LINE], sweep[LINE_END], tile_lines):
        lines = min(tile_lines, sweep[LINE_END] - t0)
        for k0 in range(0, length + lines - 1, tile_length):
            for c in range(sweep[CHANNEL], sweep[CHANNEL_END], LANES):
                count = rest(partial, channels, c)
                portion = (c - sweep[CHANNEL]) // LANES * tile_length // vectors  # of a line, fetched with these
                for s in range(lines):
                    t = t0 + s
                    begin, end = max(k0 - s, 0), min(k0 - s + tile_length, length)
                    pixel = start + t * line_step + begin * step
                    centre_at = pixel * per_pixel + gates + outer + (c if shared is None else 0)
                    at = pixel * channels + c
                    here = line_start + begin * padded + c
                    edge = edges + s * padded + c
                    before = load(line, edge, None) if begin > 0 else nothing
                    centre = load(line, here, None) if begin < length else nothing
                    later = pixel + (near if begin + ahead < length else far) + portion * step
                    gates_later = later * per_pixel + gates + outer + sweep[CHANNEL]
                    later = later * channels + sweep[CHANNEL]
                    left = vectors
                    for k in range(begin, end):
                        prefetch_taps(guidance, gates_later, outer)
                        prefetch(x, later)
                        prefetch(out, later)
                        later += LANES
                        gates_later += LANES
                        left -= 1
                        if left == 0:
                            left = vectors
                            later += to_next
                            gates_later += gates_to_next
                        after = load(line, here + padded, None) if k + 1 < length else nothing
                        h = load(x, at, count)
                        if t > 0:
                            a = tap(guidance, centre_at - outer, shared, count) if k >= first else nothing
                            b = tap(guidance, centre_at, shared, count)
                            e = tap(guidance, centre_at + outer, shared, count) if k < last else nothing
                            _, scale = gate_scale(a, b, e, limit)
                            flow = multiply_add(a, before, multiply_add(b, centre, e * after))
                            h = multiply_add(one - (a + b + e) * scale, h, flow * scale)
                        before, centre = centre, after
                        store(line, here, h, None)
                        merge(h, d, fresh, at, count, out, saved)
                        if saved is not None:
                            stream(pointer(saved[0]), at + to_state, h, count)
                        at += step * channels
                        centre_at += step * per_pixel
                        here += padded
                    store(line, edge, before, None)
