"""The kernels of the network's shallow layers, which :mod:`spnrefine.model.shallow_on_cpu` runs."""

import numpy as np

from spnrefine.model.layer_weights import DEEP, shallow_layers
from spnrefine.model.row_kernels import (
    ANY,
    GROUP,
    NONE,
    SIX,
    clear,
    convolve_planes,
    copy,
    filter_chunks,
    halve_planes,
    halve_planes_to_two,
    mix,
    mix_to_pairs,
)
from spnrefine.model.shallow_on_cpu import EXPANDED, parts
from spnrefine.simd.compiling import inlined, kernel, part
from spnrefine.simd.threads import CLAIMED, DONE, ENTERED, add_and_fetch_old
from spnrefine.simd.vectors import LANES, load, load_one, pointer, store, store_one

SEEN, DETAILS = 6, 4
"""Rows that are kept, of planes of what is seen and of detail."""
MASK = 3
"""Which plane is the mask."""
PER_BYTE = np.float32(2 / 255)

_parts, _layers = inlined(parts), inlined(shallow_layers)


@part
def shallow(control, shape, off, image, coarse, numbers, state, joined, deep, detail, mask, scratch):
    """Work through strip after strip; called by several threads at once, which share the work, not rows of scratch."""
    strip, full_height = shape[5], shape[2]
    rows = scratch[add_and_fetch_old(control, ENTERED)]
    while True:
        row = add_and_fetch_old(control, CLAIMED) * strip
        if row * 4 >= full_height:
            return
        _strip(row, min(row + strip, full_height // 4), shape, off, image, coarse, numbers, state, joined, deep, detail, mask, rows)  # fmt: skip # noqa: E501
        add_and_fetch_old(control, DONE)


@part
def _strip(begin, end, shape, off, image, coarse, numbers_array, state, joined, deep, detail, mask, scratch_array):
    """Make rows ``begin`` to ``end`` of what is a quarter as high, and all rows before them on the way.

    At step ``row``, two more rows are seen, and one of half the height is made, of which that before is used.
    """
    _, _, height, width, planes, _ = shape
    scratch, numbers = pointer(scratch_array), pointer(numbers_array)
    seen, stem, filtered, mixed, expanded, quarter, narrow, details, _ = _parts(width, planes)
    stem_layer, filter_layer, mix_layer, expand_layer, reduce_layer, out_layer, detail_layer, half_layer, embed_layer, _ = _layers(planes)  # fmt: skip # noqa: E501
    half, pitch = width // 2, width + 2 * LANES
    apart = (half + 2) * LANES
    for row in range(2 * begin - 2, 2 * end + 1):
        for y in range(2 * row - (row == 2 * begin - 2), 2 * row + 2):
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
            clear(scratch, to, 2, apart, half * LANES)
        for y in range(max(2 * row - 1, 4 * begin - 1), min(2 * row + 1, 4 * end)):
            to = details + y % DETAILS * GROUP * pitch + LANES
            if y < 0:
                clear(scratch, to, GROUP, pitch, width)
                continue
            convolve_planes(
                scratch, (seen, SEEN), y - 1, planes, pitch, width, numbers, detail_layer, scratch, to, pitch
            )
            if y >= 4 * begin:
                copy(scratch, to, pitch, GROUP, pointer(detail), y * width, height * width, width)
        before = row - 1
        to = expanded + before % 3 * EXPANDED * apart + LANES
        if before < 0:
            clear(scratch, to, EXPANDED, apart, half * LANES)
        elif before >= 2 * begin - 1:
            rows = _three_rows(stem, before, 2 * apart)
            filter_chunks(scratch, rows, apart, 2, 1, half, numbers, filter_layer, scratch, filtered, half * LANES)
            mix(scratch, filtered, half * LANES, 2, half, numbers, mix_layer, scratch, mixed)
            mix_to_pairs(scratch, mixed, 0, 1, half, numbers, expand_layer, EXPANDED, NONE, SIX, scratch, to, apart)
        if before < 2 * begin:
            continue
        to = before * 2 * half * LANES
        copy(scratch, mixed, 0, 1, pointer(joined), to, 0, half * LANES)
        halve_planes(
            scratch, (details, DETAILS), 2 * before - 1, 3, (0, GROUP, GROUP), pitch, half, numbers, half_layer, NONE,
            SIX, pointer(joined), to + half * LANES,
        )  # fmt: skip
        halve_planes(
            scratch, (seen, SEEN), 2 * before - 1, 4, (MASK, 1, planes), pitch, half, numbers, embed_layer, -ANY, ANY,
            pointer(state), before * half * LANES,
        )  # fmt: skip
        if before % 2:
            rows = _three_rows(expanded, before - 1, EXPANDED * apart)
            filter_chunks(
                scratch, rows, apart, EXPANDED, 2, half // 2, numbers, reduce_layer, scratch, quarter, half // 2 * LANES
            )
            mix_to_pairs(
                scratch, quarter, half // 2 * LANES, EXPANDED, half // 2, numbers, out_layer, 2, -ANY, ANY, scratch,
                narrow, half // 2 * LANES,
            )  # fmt: skip
            _write(scratch, narrow, half // 2, pointer(deep), before // 2 * (half // 2) * DEEP)


@inlined
def _three_rows(ring, row, size):
    return ring + (row - 1) % 3 * size, ring + row % 3 * size, ring + (row + 1) % 3 * size


@kernel
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


@kernel
def _write(scratch, at, width, target, to):
    """Write a row of two chunks with the ``DEEP`` channels of a pixel side by side."""
    for x in range(width):
        store(target, to + x * DEEP, load(scratch, at + x * LANES, None), None)
        store(target, to + x * DEEP + LANES, load(scratch, at + (width + x) * LANES, None), DEEP - LANES)
