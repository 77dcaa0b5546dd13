"""Layers of a convolutional network, a row at a time: what kernels that keep rows in the cache are made of.

A row lies in memory either as planes, one for each channel, ``pitch`` numbers apart, or as chunks: of each ``LANES``
channels all pixels, ``apart`` numbers from the next chunk. A layer's numbers begin with its shifts, one an output.
"""

import numpy as np

from spnrefine.simd.arithmetic import multiply_add, where_greater
from spnrefine.simd.blocks import (
    load_block,
    multiply_add_block,
    multiply_add_spaced_block,
    repeat_block,
    splat_block,
    store_block,
)
from spnrefine.simd.compiling import inlined, inner
from spnrefine.simd.registers import MANY
from spnrefine.simd.vectors import LANES, load, splat, store, stream

PIXELS = 8 if MANY else 4
"""Pixels of chunks that are computed at once; widths are multiples of it."""
PAIR, TRIPLE = (2, 3) if MANY else (1, 1)
"""Chunks of outputs that are computed at once, where there are an even number of them, or a multiple of three."""
PLANES, VECTORS = (8, 2) if MANY else (4, 1)
"""The same for planes: outputs, and vectors along the row."""
GROUP = 8
"""Outputs of :func:`convolve_planes`."""
NONE, SIX, ANY = np.float32(0), np.float32(6), np.float32(np.inf)


@inner
def convolve_planes(source, ring, first, count, pitch, width, numbers, at, target, to, step):
    """Convolve three rows of planes, 3x3, to a row of ``GROUP`` planes, ``step`` apart, and cut them to 0..6.

    The rows lie in a ring of ``ring[1]`` from ``ring[0]`` on, the first of the three in place ``first``.
    """
    for out in range(0, GROUP, PLANES):
        for x in range(0, width, VECTORS * LANES):
            sums = splat_block(numbers, at + out, PLANES, VECTORS)
            for ky in range(3):
                pixel = ring[0] + (first + ky) % ring[1] * count * pitch + LANES + x - 1
                factors = at + GROUP + ky * 3 * GROUP + out
                for _ in range(count):
                    for kx in range(3):
                        sums = multiply_add_block(sums, numbers, factors + kx * GROUP, source, pixel + kx)
                    factors += 9 * GROUP
                    pixel += pitch
            store_block(sums, NONE, SIX, target, to + out * step + x, step, LANES)


@inner
def halve_planes(source, ring, first, side, shown, pitch, width, numbers, at, low, high, target, to):
    """Convolve ``side`` rows of planes, with a stride of 2, to a row of one chunk of half the width, ``width``.

    ``shown``: which plane is the first to be seen, how many are, and of how many.
    """
    for x in range(0, width, PIXELS):
        sums = repeat_block(numbers, at, PIXELS, 1)
        factors = at + LANES
        for ky in range(side):
            row = ring[0] + ((first + ky) % ring[1] * shown[2] + shown[0]) * pitch + LANES + 2 * x - 1
            for c in range(shown[1]):
                for kx in range(side):
                    pixel = row + c * pitch + kx
                    sums = multiply_add_spaced_block(sums, source, pixel, 2, numbers, factors)
                    factors += LANES
        store_block(sums, low, high, target, to + x * LANES, LANES, LANES)


@inner
def halve_planes_to_two(source, ring, first, count, pitch, width, numbers, at, target, to, apart):
    """Convolve three rows of planes, with a stride of 2, to a row of two chunks, and cut them to 0..6."""
    for out in range(0, 2, PAIR):
        for x in range(0, width, PIXELS):
            sums = repeat_block(numbers, at + out * LANES, PIXELS, PAIR)
            factors = at + (2 + out) * LANES
            for ky in range(3):
                row = ring[0] + (first + ky) % ring[1] * count * pitch + LANES + 2 * x - 1
                for c in range(count):
                    for kx in range(3):
                        pixel = row + c * pitch + kx
                        sums = multiply_add_spaced_block(sums, source, pixel, 2, numbers, factors)
                        factors += 2 * LANES
            store_block(sums, NONE, SIX, target, to + out * apart + x * LANES, LANES, apart)


@inner
def mix(source, at, apart, chunks, width, numbers, layer, size, together, low, high, target, to, step):
    """Convolve a row of chunks, 1x1, to ``size`` chunks, ``step`` apart, and cut them to ``low`` .. ``high``.

    ``together``, a constant that divides ``size``, are computed at once.
    """
    for out in range(0, size, together):
        for x in range(0, width, PIXELS):
            sums = repeat_block(numbers, layer + out * LANES, PIXELS, together)
            factors = layer + (size + out) * LANES
            for chunk in range(chunks):
                pixel = at + chunk * apart + x * LANES
                for c in range(LANES):
                    sums = multiply_add_spaced_block(sums, source, pixel + c, LANES, numbers, factors)
                    factors += size * LANES
            store_block(sums, low, high, target, to + out * step + x * LANES, LANES, step)


@inner
def add_mixed(source, at, apart, chunks, width, numbers, layer, size, target, to, step):
    """Add to a row of ``size`` chunks, a multiple of three, those that a 1x1 convolution without shifts makes."""
    for out in range(0, size, TRIPLE):
        for x in range(0, width, PIXELS):
            sums = load_block(target, to + out * step + x * LANES, LANES, step, PIXELS, TRIPLE)
            factors = layer + out * LANES
            for chunk in range(chunks):
                pixel = at + chunk * apart + x * LANES
                for c in range(LANES):
                    sums = multiply_add_spaced_block(sums, source, pixel + c, LANES, numbers, factors)
                    factors += size * LANES
            store_block(sums, -ANY, ANY, target, to + out * step + x * LANES, LANES, step)


@inner
def filter_chunks(source, rows, apart, chunks, stride, width, numbers, layer, target, to, step):
    """Convolve each channel of three rows of chunks for itself, 3x3, to a row ``width`` wide, and cut it to 0..6.

    ``rows`` begin with the pixel before the first. The numbers of each chunk are its shifts, then its factors.
    """
    a, b, c = rows
    for chunk in range(chunks):
        shift = load(numbers, layer, None)
        a0, a1, a2 = _three(numbers, layer + LANES)
        b0, b1, b2 = _three(numbers, layer + 4 * LANES)
        c0, c1, c2 = _three(numbers, layer + 7 * LANES)
        for x in range(width):
            at = chunk * apart + x * stride * LANES
            ra = _dot(source, a + at, a0, a1, a2, shift)
            rb = _dot(source, b + at, b0, b1, b2, ra)
            store(target, to + chunk * step + x * LANES, cut(_dot(source, c + at, c0, c1, c2, rb)), None)
        layer += 10 * LANES


@inlined
def _three(source, at):
    return load(source, at, None), load(source, at + LANES, None), load(source, at + 2 * LANES, None)


@inlined
def _dot(source, at, a, b, c, added):
    x, y, z = _three(source, at)
    return multiply_add(z, c, multiply_add(y, b, multiply_add(x, a, added)))


@inlined
def cut(value):
    """ReLU6 of every lane; what is no number stays so."""
    nothing, six = splat(value, 0), splat(value, 6)
    value = where_greater(nothing, value, nothing, value)
    return where_greater(value, six, six, value)


@inlined
def copy(source, at, step, count, target, to, apart, length):
    """Copy ``count`` runs of ``length`` numbers, a multiple of ``LANES``."""
    for c in range(count):
        for x in range(0, length, LANES):
            store(target, to + c * apart + x, load(source, at + c * step + x, None), None)


@inlined
def copy_past(source, at, step, count, target, to, apart, length):
    """Copy likewise, past the cache."""
    for c in range(count):
        for x in range(0, length, LANES):
            stream(target, to + c * apart + x, load(source, at + c * step + x, None), None)


@inlined
def clear(target, to, count, apart, length):
    """Write zeros to ``count`` runs of ``length`` numbers, a multiple of ``LANES``."""
    for c in range(count):
        for x in range(0, length, LANES):
            store(target, to + c * apart + x, splat(target, 0), None)
