"""The kernels of the network's shallow layers, which :mod:`spnrefine.model.shallow_on_cpu` runs."""

import numpy as np

from spnrefine.model.layer_weights import shallow_layers
from spnrefine.model.quarter_kernels import reduce, sharpen, three_rows
from spnrefine.model.row_kernels import (
    ANY,
    GROUP,
    NONE,
    PAIR,
    SIX,
    clear,
    convolve_planes,
    copy,
    copy_past,
    filter_chunks,
    halve_planes,
    halve_planes_to_two,
    mix,
)
from spnrefine.model.shallow_on_cpu import EXPANDED, parts
from spnrefine.simd.compiling import inlined, inner, part
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old
from spnrefine.simd.vectors import LANES, load_one, pointer, store_one

SEEN, DETAILS = 6, 4
"""Rows that are kept, of planes of what is seen and of detail."""
MASK = 3
"""Which plane is the mask."""
PER_BYTE = np.float32(2 / 255)

_parts, _layers = inlined(parts), inlined(shallow_layers)


@part
def shallow(control, shape, off, image, coarse, numbers, state, at2, at4, deep, detail, mask, scratch):
    """Work through strip after strip; called by several threads at once, which share the work, not rows of scratch."""
    strip, last = shape[5], shape[2] // 4
    rows = scratch[add_and_fetch_old(control, ENTERED)]
    while True:
        row = add_and_fetch_old(control, CLAIMED) * strip
        if row >= last:
            return
        _strip(
            row, min(row + strip, last), shape, off, image, coarse, numbers, state, at2, at4, deep, detail, mask, rows
        )  # fmt: skip
        add_and_fetch_old(control, DONE)


@part
def _strip(
    begin, end, shape, off, image, coarse, numbers_array, state, at2, at4, deep, detail, mask, scratch_array
):  # fmt: skip
    """Make rows ``begin`` to ``end`` of what is a quarter as high, and all rows before them on the way.

    At step ``row``, two more rows are seen, and one of half the height is made, of which the one before is used.
    """
    _, _, height, width, planes, _ = shape
    scratch, numbers = pointer(scratch_array), pointer(numbers_array)
    seen, stem, filtered, mixed, expanded, second, kept, again, third, made, details, _ = _parts(width, planes)
    layers = _layers(planes)
    stem_layer, first_layer, mix_layer, expand_layer, second_layer = layers[:5]
    third_layer, half_layer, embed_layer, detail_layer = layers[5:9]
    half, pitch = width // 2, width + 2 * LANES
    apart, length = (half + 2) * LANES, half * LANES
    first, last = max(begin - 1, 0), min(end + 1, height // 4)  # of the second block, which the third sees
    for row in range(2 * first - 2, 2 * last + 1):
        for y in range(2 * row - (row == 2 * first - 2), 2 * row + 2):
            at = seen + y % SEEN * planes * pitch + LANES
            if 0 <= y < height:
                _see(y, shape, off, pointer(image), pointer(coarse), scratch, at, pitch)
                if 4 * begin <= y < 4 * end:
                    copy(scratch, at + MASK * pitch, 0, 1, pointer(mask), y * width, 0, width)
            else:
                clear(scratch, at, planes, pitch, width)
        to = stem + row % 3 * 2 * apart + LANES
        if 0 <= row < height // 2:
            halve_planes_to_two(
                scratch, (seen, SEEN), 2 * row - 1, planes, pitch, half, numbers, stem_layer, scratch, to, apart
            )
        else:
            clear(scratch, to, 2, apart, length)
        for y in range(max(2 * row - 1, 4 * begin - 1), min(2 * row + 1, 4 * end)):
            to = details + y % DETAILS * GROUP * pitch + LANES
            if y < 0:
                clear(scratch, to, GROUP, pitch, width)
                continue
            convolve_planes(
                scratch, (seen, SEEN), y - 1, planes, pitch, width, numbers, detail_layer, scratch, to, pitch
            )
            if y >= 4 * begin:
                copy_past(scratch, to, pitch, GROUP, pointer(detail), y * width, height * width, width)
        before = row - 1
        to = expanded + before % 3 * EXPANDED * apart + LANES
        if before < 0:
            clear(scratch, to, EXPANDED, apart, length)
        elif 2 * first - 1 <= before < 2 * last:
            rows = three_rows(stem, before, 2 * apart)
            filter_chunks(scratch, rows, apart, 2, 1, half, numbers, first_layer, scratch, filtered, length)
            mix(scratch, filtered, length, 2, half, numbers, mix_layer, 1, 1, -ANY, ANY, scratch, mixed, 0)
            mix(scratch, mixed, 0, 1, half, numbers, expand_layer, EXPANDED, PAIR, NONE, SIX, scratch, to, apart)
        if 2 * begin <= before < 2 * end:
            to = before * 2 * length
            copy_past(scratch, mixed, 0, 1, pointer(at2), to, 0, length)
            halve_planes(
                scratch, (details, DETAILS), 2 * before - 1, 3, (0, GROUP, GROUP), pitch, half, numbers, half_layer,
                NONE, SIX, pointer(at2), to + length,
            )  # fmt: skip
            halve_planes(
                scratch, (seen, SEEN), 2 * before - 1, 4, (MASK, 1, planes), pitch, half, numbers, embed_layer, -ANY,
                ANY, pointer(state), before * length,
            )  # fmt: skip
        if before % 2 and before > 2 * first:
            reduce(scratch, expanded, before - 1, half, numbers, second_layer, second, kept)
            sharpen(
                scratch, before // 2, begin, half // 2, height // 4, numbers, third_layer, kept, again, third, made,
                pointer(at4), pointer(deep),
            )  # fmt: skip


@inner
def _see(y, shape, off, image, coarse, scratch, to, pitch):
    """Make planes in -1..1 of a row of photograph and mask, whose last pixels go on to the right and below."""
    height, width, _, full_width, planes, _ = shape
    at = min(y, height - 1) * width
    for x in range(width):
        pixel = 3 * (at + x)
        store_one(scratch, to + x, np.float32(load_one(image, pixel)) * PER_BYTE - np.float32(1))
        store_one(scratch, to + pitch + x, np.float32(load_one(image, pixel + 1)) * PER_BYTE - np.float32(1))
        store_one(scratch, to + 2 * pitch + x, np.float32(load_one(image, pixel + 2)) * PER_BYTE - np.float32(1))
    for x in range(width):
        store_one(scratch, to + MASK * pitch + x, load_one(coarse, at + x) * np.float32(2) - np.float32(1))
    for c in range(MASK + 1):
        last = load_one(scratch, to + c * pitch + width - 1)
        for x in range(width, full_width):
            store_one(scratch, to + c * pitch + x, last)
    for c in range(MASK + 1, planes):
        for x in range(full_width):
            store_one(scratch, to + c * pitch + x, off)
