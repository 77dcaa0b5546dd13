"""The propagation of the network on the CPU: scans that read gates in the order in which they walk.

Gates come normalised, as :mod:`spnrefine.model.gates_kernels` makes them, and are 0 where their source lies outside,
so that a scan knows no borders. All directions are the same loop with other steps. Vertical scans go line after line,
horizontal ones through tiles of some lines, so that what they read and write of the state lies side by side in memory.
A pixel needs three of the line before it, so a tile slants: each of its lines starts one position before the one it
follows. Tiles along a line run one by one, and hand over, for each of their lines, what the next one needs of their
last position.
"""

from spnrefine.model.gates_on_cpu import TILE_LENGTH, TILE_LINES, WORDS
from spnrefine.ops.cpu.plan import CHANNEL, CHANNEL_END, DIRECTION, FIRST, FRESH, LAST, LINE, LINE_END, WAIT
from spnrefine.simd.arithmetic import multiply_add, where_greater
from spnrefine.simd.compiling import inlined, part
from spnrefine.simd.thirds import SCALE, load_thirds
from spnrefine.simd.threads import CLAIMED, DONE, add_and_fetch_old, wait_until_done
from spnrefine.simd.vectors import LANES, load, pointer, prefetch, splat, store

AHEAD = 64
"""How many pixels ahead gates are fetched; of the state, as many, or in horizontal scans those of the next tile."""


@inlined
def tiles_of(length):
    """See :func:`spnrefine.model.gates_on_cpu.tiles_along`."""
    return (length + TILE_LINES - 1 + TILE_LENGTH - 1) // TILE_LENGTH


@inlined
def place(direction, line, position, length):
    """How many pixels come before one in the order of a scan; there is room between them where tiles stand out."""
    if direction >= 2:
        return line * length + position
    s = line & (TILE_LINES - 1)  # both sides of a tile are powers of two
    k = position + s
    tile = (line // TILE_LINES) * tiles_of(length) + k // TILE_LENGTH
    return (tile * TILE_LINES + s) * TILE_LENGTH + (k & (TILE_LENGTH - 1))


@part
def propagate(control, plan, shape, x, gates, out, line):
    """Run every sweep of ``plan``; called by several threads at once, which share the work.

    ``x`` and ``out`` are (H, W, C). ``line`` holds, for each direction and block of channels, the edges of a tile and
    then the last line of the recurrence.
    """
    sweeps, tasks = plan
    while True:
        task = add_and_fetch_old(control, CLAIMED)
        if task >= len(tasks):
            return
        wait_until_done(control, tasks[task, WAIT])
        for i in range(tasks[task, FIRST], tasks[task, LAST]):
            _sweep(sweeps[i], shape, x, gates, out, line)
        add_and_fetch_old(control, DONE)


@inlined
def _walk(direction, height, width):
    """How a scan walks over pixels: the first one, the steps to the next line and along a line, and its length."""
    if direction == 0:
        return 0, 1, width, height
    if direction == 1:
        return width - 1, -1, width, height
    if direction == 2:
        return 0, width, 1, width
    return (height - 1) * width, -width, 1, width


@part
def _sweep(sweep, shape, x_array, gates_array, out_array, line_array):
    x, gates, out, line = pointer(x_array), pointer(gates_array), pointer(out_array), pointer(line_array)
    height, width, channels, line_size = shape
    direction, fresh = sweep[DIRECTION], sweep[FRESH]
    start, line_step, step, length = _walk(direction, height, width)
    tile_lines, tile_length, tiles = 1, length, 1
    if direction < 2:
        tile_lines, tile_length, tiles = TILE_LINES, TILE_LENGTH, tiles_of(length)
    plane = tiles_of(height) * TILE_LENGTH * width * WORDS
    nothing, unit = splat(x, 0), splat(x, 1 / SCALE)
    to_later = (TILE_LENGTH if direction < 2 else AHEAD) * step
    if sweep[LINE] == 0:
        for i in range(sweep[CHANNEL] // LANES, sweep[CHANNEL_END] // LANES):
            for k in range(0, line_size, LANES):
                store(line, (direction * channels // LANES + i) * line_size + k, nothing, None)
    for t0 in range(sweep[LINE] // tile_lines * tile_lines, sweep[LINE_END], tile_lines):
        first, last = max(sweep[LINE] - t0, 0), min(sweep[LINE_END] - t0, tile_lines)
        for tile in range(tiles):
            for c in range(sweep[CHANNEL], sweep[CHANNEL_END], LANES):
                block = (direction * channels + c) // LANES
                edges = block * line_size
                line_start = edges + TILE_LINES * LANES
                for s in range(first, last):
                    slanted = tile * tile_length - s
                    begin, end = max(slanted, 0), min(slanted + tile_length, length)
                    at = block * plane + ((t0 // tile_lines * tiles + tile) * tile_lines + s) * tile_length * WORDS
                    at += (begin - slanted) * WORDS
                    pixel = (start + (t0 + s) * line_step + begin * step) * channels + c
                    here = line_start + begin * LANES
                    edge = edges + s * LANES
                    later = pixel + to_later * channels
                    before = load(line, edge, None) if begin > 0 else nothing
                    centre = load(line, here, None)
                    for _ in range(begin, end):
                        prefetch(gates, at + AHEAD * WORDS)
                        prefetch(gates, at + AHEAD * WORDS + LANES)
                        prefetch(x, later)
                        prefetch(out, later)
                        later += step * channels
                        after = load(line, here + LANES, None)
                        a, b, e = load_thirds(gates, at, nothing)
                        h = load(x, pixel, None)
                        flow = multiply_add(a, before - h, multiply_add(b, centre - h, e * (after - h)))
                        h = multiply_add(flow, unit, h)
                        before, centre = centre, after
                        store(line, here, h, None)
                        best = h if fresh else load(out, pixel, None)
                        store(out, pixel, where_greater(h, best, h, best), None)
                        pixel += step * channels
                        at += WORDS
                        here += LANES
                    store(line, edge, before, None)
