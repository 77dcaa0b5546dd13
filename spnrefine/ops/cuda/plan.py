"""How a propagation is laid over blocks and threads, worked out once for tensors of one shape and layout."""

from dataclasses import dataclass
from functools import lru_cache
from struct import pack

from spnrefine.ops.cuda.compiling import Unit
from spnrefine.ops.cuda.cuts import best
from spnrefine.ops.cuda.limits import HALO, MERGE_THREADS
from spnrefine.ops.cuda.operands import Operands

AT_ONCE = 4
"""Pixels that a thread of the merging kernels takes."""
_NORMALISE = {None: 0, "bounded": 1, "unit": 2}


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


@dataclass(frozen=True)
class Plan:
    """The launches of one way, and what they write."""

    scans: tuple[Launch, ...]
    """In turn: each begins with the line that the one before ended with."""
    carry: int
    """Numbers of the calculated type in such a line, of all scans; 0 where there is one launch."""
    merging: Launch | None
    channels_last: bool
    """The order in which scratch and results lie."""


@lru_cache(maxsize=256)
def forward_plan(operands: Operands, save: bool) -> Plan:
    """Plan the scans and their maximum; ``save`` also what backward needs."""
    unit = Unit("forward", operands.x_type, operands.guidance_type)
    merged = save or len(operands.directions) > 1
    last = operands.channels_last
    scratch = _dense(operands, last, len(operands.directions))
    numbers = (*_x_strides(operands.x), *_guidance_strides(operands), *scratch, int(save))
    scans, carry = _scans(operands, unit, numbers)
    return Plan(scans, carry, _merging(operands, unit, "merge") if merged else None, last)


@lru_cache(maxsize=256)
def backward_plan(operands: Operands, grad: tuple[int, ...], dguidance: tuple[int, ...], in_full: bool) -> Plan:
    """Plan the scans in reverse and their sum.

    ``grad`` and ``dguidance`` are strides; ``in_full`` where ``dguidance`` is of the type calculated in.
    """
    unit = Unit("backward", operands.x_type, operands.guidance_type)
    last = operands.channels_last
    strides = (
        *_x_strides(operands.x),
        *_guidance_strides(operands),
        *_x_strides(grad),
        *_dense(operands, last, len(operands.directions)),
        *_dense(operands, last, 0),
        *dguidance,
    )
    scans, carry = _scans(operands, unit, (*strides, int(in_full)))
    return Plan(scans, carry, _merging(operands, unit, "sum"), last)


def _scans(operands: Operands, unit: Unit, numbers: tuple[int, ...]) -> tuple[tuple[Launch, ...], int]:
    """Return the launches of the scans, and how many numbers one leaves to the next."""
    n, channels, height, width = operands.shape
    directions, cut = operands.directions, best(operands, unit)
    blocks = n * len(directions) * cut.pieces * channels // cut.side
    told = 1 if unit.way == "forward" else 2  # numbers that a thread tells each neighbour
    shared = 4 * told * (cut.threads + 2 * cut.side) * (8 if unit.wide else 4)
    count = HALO if cut.pieces > 1 else operands.lines
    ways = sum(int(direction) << (2 * i) for i, direction in enumerate(directions))
    taps = operands.guidance_shape[2]
    scans = (n, len(directions), channels, height, width, cut.side, ways, _NORMALISE[operands.normalise], taps)
    pieces = (cut.pieces, cut.core, cut.halo)

    def launch(start: int) -> Launch:
        packed = pack(f"{14 + len(numbers)}q", *scans, *pieces, start, count, *numbers)
        return Launch(unit, cut.kernel, blocks, cut.threads, shared, packed)

    launches = tuple(launch(start) for start in range(0, operands.lines, count))
    return launches, n * len(directions) * channels * max(height, width) if len(launches) > 1 else 0


def _merging(operands: Operands, unit: Unit, kernel: str) -> Launch:
    n, channels, height, width = operands.shape
    size = channels * height * width
    blocks = n * -(-size // (AT_ONCE * MERGE_THREADS))
    return Launch(unit, kernel, blocks, MERGE_THREADS, 0, pack("2q", size, len(operands.directions)))


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
