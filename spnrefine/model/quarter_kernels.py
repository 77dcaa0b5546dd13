"""The kernels of the shallow layers at a quarter of the resolution: the encoder's second and third block."""

from spnrefine.model.row_kernels import ANY, NONE, PAIR, SIX, TRIPLE, clear, filter_chunks, mix
from spnrefine.model.shallow_on_cpu import EXPANDED, EXPANDED_AGAIN
from spnrefine.ops.cpu.planar import turn
from spnrefine.simd.compiling import inlined, inner
from spnrefine.simd.vectors import LANES, load, store


@inlined
def three_rows(ring, row, size):
    """Where three rows about a row begin, of a ring of three."""
    return ring + (row - 1) % 3 * size, ring + row % 3 * size, ring + (row + 1) % 3 * size


@inner
def reduce(scratch, expanded, row, half, numbers, layer, filtered, kept):
    """Make a row of the second block of three rows about ``row`` of what was expanded; the last two are kept."""
    width, apart = half // 2, (half + 2) * LANES
    rows = three_rows(expanded, row, EXPANDED * apart)
    filter_chunks(scratch, rows, apart, EXPANDED, 2, width, numbers, layer, scratch, filtered, width * LANES)
    layer += EXPANDED * 10 * LANES
    to = kept + row // 2 % 2 * 2 * width * LANES
    mix(
        scratch, filtered, width * LANES, EXPANDED, width, numbers, layer, 2, PAIR, -ANY, ANY, scratch, to,
        width * LANES,
    )  # fmt: skip


@inner
def sharpen(scratch, row, begin, width, height, numbers, layer, kept, expanded, filtered, made, at4, deep):
    """Expand a row of the second block, and make that before it of the third, if that is wanted; also the last."""
    apart, length = (width + 2) * LANES, width * LANES
    size = EXPANDED_AGAIN * apart
    if row == 0:
        clear(scratch, expanded + 2 * size + LANES, EXPANDED_AGAIN, apart, length)
    to, at = expanded + row % 3 * size + LANES, kept + row % 2 * 2 * length
    mix(scratch, at, length, 2, width, numbers, layer, EXPANDED_AGAIN, TRIPLE, NONE, SIX, scratch, to, apart)
    filter_layer = layer + EXPANDED_AGAIN * (2 * LANES + 1) * LANES
    mix_layer = filter_layer + EXPANDED_AGAIN * 10 * LANES
    last = row + 1 == height
    for done in range(max(row - 1, begin), row + last):
        if done == row:
            clear(scratch, expanded + (row + 1) % 3 * size + LANES, EXPANDED_AGAIN, apart, length)
        rows = three_rows(expanded, done, size)
        filter_chunks(scratch, rows, apart, EXPANDED_AGAIN, 1, width, numbers, filter_layer, scratch, filtered, length)
        mix(
            scratch, filtered, length, EXPANDED_AGAIN, width, numbers, mix_layer, 2, PAIR, -ANY, ANY, scratch, made,
            length,
        )  # fmt: skip
        at, to = kept + done % 2 * 2 * length, done * 2 * length
        for x in range(0, 2 * length, LANES):
            store(at4, to + x, load(scratch, made + x, None) + load(scratch, at + x, None), None)
        turn(at4, to, LANES, width, LANES, deep, done * width, height * width)
        turn(at4, to + length, LANES, width, LANES, deep, (LANES * height + done) * width, height * width)
