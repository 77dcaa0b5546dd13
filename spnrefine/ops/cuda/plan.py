"""How a propagation is laid over blocks and threads, worked out once for tensors of one shape and layout."""

from dataclasses import dataclass
from functools import lru_cache
from struct import pack
from typing import NamedTuple

import torch

from spnrefine.ops.cuda.compiling import Unit
from spnrefine.ops.cuda.limits import MERGE_THREADS, SHARED, threads_of
from spnrefine.ops.directions import Direction

AT_ONCE = 4
"""Pixels that a thread of the merging kernels takes."""
SECTOR = 32
"""Bytes that a GPU moves at least."""
FEW_CHANNELS = 4
"""With fewer neighbouring channels a block, long lines would rather be cut up among a thread's turns."""
ENOUGH_BLOCKS = 132
_NORMALISE = {None: 0, "bounded": 1, "unit": 2}


class Operands(NamedTuple):
    """All of the arguments that a plan depends on."""

    shape: tuple[int, ...]
    """(N, C, H, W) of x."""
    x: tuple[int, ...]
    """Strides of x, in elements."""
    guidance_shape: tuple[int, ...]
    guidance: tuple[int, ...]
    """Strides of guidance."""
    x_type: torch.dtype
    guidance_type: torch.dtype
    directions: tuple[Direction, ...]
    normalise: str | None


@dataclass(frozen=True)
class Launch:
    """One kernel and how to launch it; its arguments are pointers, then ``numbers``."""

    unit: Unit
    kernel: str
    blocks: int
    threads: int
    shared: int
    """Bytes of shared memory a block."""
    numbers: bytes
    carry: int = 0
    """Numbers of the calculated type that the kernel keeps in device memory, where shared memory is too small."""


@dataclass(frozen=True)
class Plan:
    """The launches of one way, and what they write."""

    scans: Launch
    merging: Launch | None
    channels_last: bool
    """The order in which scratch and results lie."""


@lru_cache(maxsize=256)
def forward_plan(operands: Operands, save: bool) -> Plan:
    """Plan the scans and their maximum; ``save`` also what backward needs."""
    unit = Unit("forward", operands.x_type, operands.guidance_type)
    merged = save or len(operands.directions) > 1
    last = _channels_last(operands)
    scratch = _dense(operands, last, len(operands.directions))
    numbers = (*_x_strides(operands.x), *_guidance_strides(operands), *scratch, int(save))
    scans = _scans(operands, unit, numbers, buffers=1)
    return Plan(scans, _merging(operands, unit, "merge") if merged else None, last)


@lru_cache(maxsize=256)
def backward_plan(operands: Operands, grad: tuple[int, ...], dguidance: tuple[int, ...], in_full: bool) -> Plan:
    """Plan the scans in reverse and their sum.

    ``grad`` and ``dguidance`` are strides; ``in_full`` where ``dguidance`` is of the type calculated in.
    """
    unit = Unit("backward", operands.x_type, operands.guidance_type)
    last = _channels_last(operands)
    strides = (
        *_x_strides(operands.x),
        *_guidance_strides(operands),
        *_x_strides(grad),
        *_dense(operands, last, len(operands.directions)),
        *_dense(operands, last, 0),
        *dguidance,
    )
    scans = _scans(operands, unit, (*strides, int(in_full)), buffers=3)
    return Plan(scans, _merging(operands, unit, "sum"), last)


def _scans(operands: Operands, unit: Unit, numbers: tuple[int, ...], buffers: int) -> Launch:
    """Choose a kernel; ``buffers`` lines lie in shared memory, twice."""
    n, channels, height, width = operands.shape
    directions, limits = operands.directions, threads_of(unit.wide)
    length = max(height if direction.horizontal else width for direction in directions)
    narrow = limits[f"{unit.way.upper()}_THREADS"]
    most = narrow if unit.way == "forward" else limits["WIDE_THREADS"]
    bytes_a_pixel = 2 * buffers * (8 if unit.wide else 4)
    side, long_side = _side(operands, most // length), _side(operands, limits["LONG_THREADS"] // 32)
    # a block that takes one of several neighbouring channels wastes most of each sector
    if length > most or (side == 1 and long_side >= FEW_CHANNELS):
        fitting = SHARED // (bytes_a_pixel * (length + 2))
        side = FEW_CHANNELS if long_side > fitting >= FEW_CHANNELS else long_side
        kernel, threads, pixels = f"{unit.way}_long", limits["LONG_THREADS"], length * side
    else:
        threads = pixels = -(-length * side // 32) * 32
        kernel = f"{unit.way}_wide" if threads > narrow else unit.way
    blocks = n * len(directions) * channels // side
    shared, carry = bytes_a_pixel * (pixels + 2 * side), 0
    if shared > SHARED:
        shared, carry = 0, 2 * buffers * (pixels + 2 * side) * blocks
    ways = sum(int(direction) << (2 * i) for i, direction in enumerate(directions))
    taps = operands.guidance_shape[2]
    scans = (n, len(directions), channels, height, width, side, ways, _NORMALISE[operands.normalise], taps)
    return Launch(unit, kernel, blocks, threads, shared, pack(f"{9 + len(numbers)}q", *scans, *numbers), carry)


def _merging(operands: Operands, unit: Unit, kernel: str) -> Launch:
    n, channels, height, width = operands.shape
    size = channels * height * width
    blocks = n * -(-size // (AT_ONCE * MERGE_THREADS))
    return Launch(unit, kernel, blocks, MERGE_THREADS, 0, pack("2q", size, len(operands.directions)))


def _side(operands: Operands, most: int) -> int:
    """Choose how many neighbouring channels a block takes, at most ``most``: a sector's worth, where they are last."""
    channels = operands.shape[1]
    if not _channels_last(operands) or not most:
        return 1
    itemsize = operands.guidance_type.itemsize
    side = max(SECTOR // itemsize, 1)
    if operands.shape[0] * len(operands.directions) * channels // side < ENOUGH_BLOCKS:
        side = max(side // 2, 1)
    while channels % side or side > most:
        side //= 2
    return side


def _channels_last(operands: Operands) -> bool:
    """Say whether a pixel's channels are neighbours in guidance, or in x where they share their gates."""
    channels, width = operands.shape[1], operands.shape[3]
    strides = operands.guidance[3:] if operands.guidance_shape[3] > 1 else operands.x[1:]
    return channels > 1 and strides[0] == 1 and (strides[2] != 1 or width == 1)


def _x_strides(strides: tuple[int, ...]) -> tuple[int, ...]:
    image, channel, row, column = strides
    return image, 0, 0, channel, row, column


def _guidance_strides(operands: Operands) -> tuple[int, ...]:
    image, direction, tap, channel, row, column = operands.guidance
    return image, direction, tap, channel if operands.guidance_shape[3] > 1 else 0, row, column


def _dense(operands: Operands, channels_last: bool, planes: int) -> tuple[int, ...]:
    """Return the strides of scratch: ``planes`` for each image, 0 where it has just one."""
    _, channels, height, width = operands.shape
    size = channels * height * width
    pixel = (1, width * channels, channels) if channels_last else (height * width, width, 1)
    return max(planes, 1) * size, size if planes else 0, 0, *pixel
