"""The kernels of the guidance network's last decoder, which :mod:`spnrefine.model.joining_on_cpu` runs."""

from spnrefine.model.joining_on_cpu import CHUNKS, COLUMNS, TILES, parts
from spnrefine.model.row_kernels import ANY, PAIR, PIXELS, add_mixed, clear, copy, cut
from spnrefine.model.winograd import SEEN, SIDE
from spnrefine.model.winograd_kernels import combined, down, rows_from, transformed
from spnrefine.ops.cpu.planar import turn
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.blocks import empty_block, multiply_add_spaced_block, store_block
from spnrefine.simd.compiling import inlined, kernel, part
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old
from spnrefine.simd.vectors import LANES, load, pointer, splat, store

TWO = 2
"""Chunks of outputs, and of what lies beside."""

_parts = inlined(parts)


@part
def join(control, shape, below, joined, beside, numbers, features, scratch):
    """Work through strip after strip; called by several threads at once, which share the work, not rows of scratch."""
    height, strip = shape[0], shape[3]
    rows = scratch[add_and_fetch_old(control, ENTERED)]
    while True:
        row = add_and_fetch_old(control, CLAIMED) * strip
        if row * SIDE >= height:
            return
        _strip(row, min(row + strip, height // SIDE), shape, below, joined, beside, numbers, features, rows)
        add_and_fetch_old(control, DONE)


@part
def _strip(begin, end, shape, below_array, joined, beside, numbers_array, features, scratch_array):
    """Make rows ``begin`` to ``end`` of tiles, one of the rows of inputs after the other."""
    height, width, narrow, _ = shape
    scratch, numbers, out = pointer(scratch_array), pointer(numbers_array), pointer(features)
    chunks = CHUNKS if narrow else CHUNKS + TWO
    inputs, columns, points, products, made, _ = _parts(width, chunks)
    apart = (width + 2) * LANES
    for row in range(SIDE * begin - 1, SIDE * end + 1):
        at = inputs + row % SEEN * chunks * apart + LANES
        if 0 <= row < height:
            _enlarge(pointer(below_array), row, height // 2, width // 2, scratch, at, apart)
            beside_at = row * TWO * width * LANES
            if narrow:
                add_mixed(
                    pointer(joined), beside_at, width * LANES, TWO, width, pointer(beside), 0, CHUNKS, scratch, at,
                    apart,
                )  # fmt: skip
            else:
                copy(
                    pointer(joined), beside_at, width * LANES, TWO, scratch, at + CHUNKS * apart, apart, width * LANES
                )  # fmt: skip
        else:
            clear(scratch, at, chunks, apart, width * LANES)
        if row % SIDE or row == SIDE * begin:
            continue
        for tile in range(0, width // SIDE, TILES):
            tiles, first = min(TILES, width // SIDE - tile), tile * SIDE * LANES
            for chunk in range(chunks):
                _transform_down(
                    scratch, inputs + first + chunk * apart, row - SIDE - 1, chunks * apart, tiles * SIDE + 2, columns
                )  # fmt: skip
                _transform_along(scratch, columns, tiles, points + chunk * TILES * LANES, chunks * TILES * LANES)
            _multiply(scratch, points, chunks, tiles, numbers, products)
            _gather(scratch, products, tiles, numbers, made + first, width)
        for side in range(SIDE):
            for chunk in range(TWO):
                turn(
                    scratch, made + (side * TWO + chunk) * width * LANES, LANES, width, LANES, out,
                    (chunk * LANES * height + row - SIDE + side) * width, height * width,
                )  # fmt: skip


@kernel
def _enlarge(below, row, height, width, scratch, to, apart):
    """Make a row, of twice the width, of rows (width, channels) that are half as high."""
    size, near = CHUNKS * LANES, row // 2
    other = min(max(near + row % 2 * 2 - 1, 0), height - 1)
    near, other = near * width * size, other * width * size
    quarter, rest = splat(scratch, 0.25), splat(scratch, 0.75)
    for chunk in range(CHUNKS):
        a, b = near + chunk * LANES, other + chunk * LANES
        this = multiply_add(load(below, a, None), rest, load(below, b, None) * quarter)
        previous = this
        for x in range(width):
            ahead = min(x + 1, width - 1) * size
            following = multiply_add(load(below, a + ahead, None), rest, load(below, b + ahead, None) * quarter)
            centre, at = this * rest, to + chunk * apart + 2 * x * LANES
            store(scratch, at, multiply_add(previous, quarter, centre), None)
            store(scratch, at + LANES, multiply_add(following, quarter, centre), None)
            previous, this = this, following


@kernel
def _transform_down(source, ring, first, size, pixels, to):
    """Combine each column of six rows in a ring of as many, of ``size`` numbers each, to ``COLUMNS`` a row."""
    rows = rows_from(ring, first, size)
    for pixel in range(pixels):
        made = down(source, rows, pixel * LANES)
        for i in range(SEEN):
            store(source, to + (i * COLUMNS + pixel) * LANES, made[i], None)


@kernel
def _transform_along(scratch, columns, tiles, to, step):
    """Make of the columns of each tile what its factors are multiplied with; tiles overlap by two columns."""
    for row in range(SEEN):
        first, place = columns + row * COLUMNS * LANES, to + row * SEEN * step
        a, b = load(scratch, first, None), load(scratch, first + LANES, None)
        for tile in range(tiles):
            at = first + (SIDE * tile + 2) * LANES
            c, d = load(scratch, at, None), load(scratch, at + LANES, None)
            e, f = load(scratch, at + 2 * LANES, None), load(scratch, at + 3 * LANES, None)
            made = transformed(a, b, c, d, e, f)
            for point in range(SEEN):
                store(scratch, place + point * step + tile * LANES, made[point], None)
            a, b = e, f


@kernel
def _multiply(scratch, points, chunks, tiles, numbers, to):
    """Sum the products over the inputs, for each point, tile and output."""
    outputs = TWO * LANES
    for point in range(SEEN * SEEN):
        for out in range(0, TWO, PAIR):
            for tile in range(0, tiles, PIXELS):
                sums = empty_block(numbers, PIXELS, PAIR)
                factors = outputs + point * chunks * LANES * outputs + out * LANES
                for chunk in range(chunks):
                    at = points + ((point * chunks + chunk) * TILES + tile) * LANES
                    for c in range(LANES):
                        sums = multiply_add_spaced_block(sums, scratch, at + c, LANES, numbers, factors)
                        factors += outputs
                at = to + ((point * TWO + out) * TILES + tile) * LANES
                store_block(sums, -ANY, ANY, scratch, at, LANES, TILES * LANES)


@kernel
def _gather(scratch, products, tiles, numbers, to, width):
    """Turn the sums of each tile into its outputs."""
    step = TWO * TILES * LANES
    for chunk in range(TWO):
        shift = load(numbers, chunk * LANES, None)
        for tile in range(tiles):
            at = products + (chunk * TILES + tile) * LANES
            a, b, c = (
                _combined(scratch, at, step),
                _combined(scratch, at + step, step),
                _combined(scratch, at + 2 * step, step),
            )
            at += 3 * step
            d, e, f = (
                _combined(scratch, at, step),
                _combined(scratch, at + step, step),
                _combined(scratch, at + 2 * step, step),
            )
            place = to + (chunk * width + tile * SIDE) * LANES
            for row in range(SIDE):
                made = combined(a[row], b[row], c[row], d[row], e[row], f[row])
                for along in range(SIDE):
                    store(scratch, place + along * LANES, cut(made[along] + shift), None)
                place += TWO * width * LANES


@inlined
def _combined(scratch, at, step):
    """Combine a column of sums."""
    a, b, c = _three(scratch, at, SEEN * step)
    d, e, f = _three(scratch, at + 3 * SEEN * step, SEEN * step)
    return combined(a, b, c, d, e, f)


@inlined
def _three(scratch, at, step):
    return load(scratch, at, None), load(scratch, at + step, None), load(scratch, at + 2 * step, None)
