"""The kernels of the guidance network's last two decoders, which :mod:`spnrefine.model.joining_on_cpu` runs."""

from spnrefine.model.joining_on_cpu import COLUMNS, TILES, parts
from spnrefine.model.row_kernels import ANY, PAIR, PIXELS, TRIPLE, add_mixed, clear, copy, cut
from spnrefine.model.winograd import SEEN, SIDE
from spnrefine.model.winograd_kernels import combined, down, rows_from, three, transformed
from spnrefine.ops.cpu.planar import turn
from spnrefine.simd.arithmetic import multiply_add
from spnrefine.simd.blocks import empty_block, multiply_add_spaced_block, store_block
from spnrefine.simd.compiling import inlined, inner, part
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old
from spnrefine.simd.vectors import LANES, load, pointer, splat, store

TWO, THREE = 2, 3
"""Chunks of what lies beside, and of outputs where they are no even number."""

_parts = inlined(parts)


@part
def join(control, shape, below, joined, beside, numbers, mixed, out, scratch):
    """Work through strip after strip; called by several threads at once, which share the work, not rows of scratch."""
    height, strip = shape[0], shape[7]
    rows = scratch[add_and_fetch_old(control, ENTERED)]
    while True:
        row = add_and_fetch_old(control, CLAIMED) * strip
        if row * SIDE >= height:
            return
        _strip(row, min(row + strip, height // SIDE), shape, below, joined, beside, numbers, mixed, out, rows)
        add_and_fetch_old(control, DONE)


@part
def _strip(begin, end, shape, below_array, joined_array, beside, numbers_array, mixed, out_array, scratch_array):
    """Make rows ``begin`` to ``end`` of tiles, one of the rows of inputs after the other."""
    height, width, enlarged, narrow, outputs, is_mixed, planes, _, pixel_step, chunk_step = shape
    scratch, numbers, out = pointer(scratch_array), pointer(numbers_array), pointer(out_array)
    below, joined = pointer(below_array), pointer(joined_array)
    chunks = enlarged if narrow else enlarged + TWO
    inputs, columns, points, products, made, _ = _parts(width, chunks, outputs)
    apart, length = (width + 2) * LANES, width * LANES
    for row in range(SIDE * begin - 1, SIDE * end + 1):
        at, beside_at = inputs + row % SEEN * chunks * apart + LANES, row * TWO * length
        if not 0 <= row < height:
            clear(scratch, at, chunks, apart, length)
        else:
            _enlarge(below, pixel_step, chunk_step, enlarged, row, height // 2, width // 2, scratch, at, apart)
            if narrow:
                add_mixed(joined, beside_at, length, TWO, width, pointer(beside), 0, enlarged, scratch, at, apart)
            else:
                copy(joined, beside_at, length, TWO, scratch, at + enlarged * apart, apart, length)
        if row % SIDE or row == SIDE * begin:
            continue
        for tile in range(0, width // SIDE, TILES):
            tiles, first = min(TILES, width // SIDE - tile), tile * SIDE * LANES
            for chunk in range(chunks):
                _transform_down(
                    scratch, inputs + first + chunk * apart, row - SIDE - 1, chunks * apart, tiles * SIDE + 2, columns
                )  # fmt: skip
                _transform_along(scratch, columns, tiles, points + chunk * TILES * LANES, chunks * TILES * LANES)
            if outputs == TWO:
                _multiply(scratch, points, chunks, tiles, numbers, TWO, PAIR, products)
            else:
                _multiply(scratch, points, chunks, tiles, numbers, THREE, TRIPLE, products)
            _gather(scratch, products, outputs, tiles, numbers, made + first, width)
        for side in range(SIDE):
            at, done = made + side * outputs * length, row - SIDE + side
            if planes:
                for chunk in range(outputs):
                    turn(
                        scratch, at + chunk * length, LANES, width, LANES, out,
                        (chunk * LANES * height + done) * width, height * width,
                    )  # fmt: skip
            elif is_mixed:
                to = done * outputs * length
                clear(out, to, outputs, length, length)
                add_mixed(scratch, at, length, outputs, width, pointer(mixed), 0, outputs, out, to, length)
            else:
                copy(scratch, at, length, outputs, out, done * outputs * length, length, length)


@inner
def _enlarge(below, step, chunk_step, chunks, row, height, width, scratch, to, apart):
    """Make a row, of twice the width, of rows that are half as high."""
    near = row // 2
    other = min(max(near + row % 2 * 2 - 1, 0), height - 1)
    size = width * chunks * LANES
    near, other = near * size, other * size
    quarter, rest = splat(scratch, 0.25), splat(scratch, 0.75)
    for chunk in range(chunks):
        a, b = near + chunk * chunk_step, other + chunk * chunk_step
        this = multiply_add(load(below, a, None), rest, load(below, b, None) * quarter)
        previous = this
        for x in range(width):
            ahead = min(x + 1, width - 1) * step
            following = multiply_add(load(below, a + ahead, None), rest, load(below, b + ahead, None) * quarter)
            centre, at = this * rest, to + chunk * apart + 2 * x * LANES
            store(scratch, at, multiply_add(previous, quarter, centre), None)
            store(scratch, at + LANES, multiply_add(following, quarter, centre), None)
            previous, this = this, following


@inner
def _transform_down(source, ring, first, size, pixels, to):
    """Combine each column of six rows in a ring of as many, of ``size`` numbers each, to ``COLUMNS`` a row."""
    rows = rows_from(ring, first, size)
    for pixel in range(pixels):
        made = down(source, rows, pixel * LANES)
        for i in range(SEEN):
            store(source, to + (i * COLUMNS + pixel) * LANES, made[i], None)


@inner
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


@inner
def _multiply(scratch, points, chunks, tiles, numbers, size, together, to):
    """Sum the products over the inputs, for each point, tile and output of ``size`` chunks, ``together`` at once."""
    outputs = size * LANES
    for point in range(SEEN * SEEN):
        for out in range(0, size, together):
            for tile in range(0, tiles, PIXELS):
                sums = empty_block(numbers, PIXELS, together)
                factors = outputs + point * chunks * LANES * outputs + out * LANES
                for chunk in range(chunks):
                    at = points + ((point * chunks + chunk) * TILES + tile) * LANES
                    for c in range(LANES):
                        sums = multiply_add_spaced_block(sums, scratch, at + c, LANES, numbers, factors)
                        factors += outputs
                at = to + ((point * size + out) * TILES + tile) * LANES
                store_block(sums, -ANY, ANY, scratch, at, LANES, TILES * LANES)


@inner
def _gather(scratch, products, outputs, tiles, numbers, to, width):
    """Turn the sums of each tile into its outputs."""
    step = outputs * TILES * LANES
    for chunk in range(outputs):
        shift = load(numbers, chunk * LANES, None)
        for tile in range(tiles):
            at = products + (chunk * TILES + tile) * LANES
            a, b = _combined(scratch, at, step), _combined(scratch, at + step, step)
            c, d = _combined(scratch, at + 2 * step, step), _combined(scratch, at + 3 * step, step)
            e, f = _combined(scratch, at + 4 * step, step), _combined(scratch, at + 5 * step, step)
            place = to + (chunk * width + tile * SIDE) * LANES
            for row in range(SIDE):
                made = combined(a[row], b[row], c[row], d[row], e[row], f[row])
                for along in range(SIDE):
                    store(scratch, place + along * LANES, cut(made[along] + shift), None)
                place += outputs * width * LANES


@inlined
def _combined(scratch, at, step):
    """Combine a column of sums."""
    a, b, c = three(scratch, at, SEEN * step)
    d, e, f = three(scratch, at + 3 * SEEN * step, SEEN * step)
    return combined(a, b, c, d, e, f)
