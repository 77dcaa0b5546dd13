"""How a propagation is laid over blocks and threads."""

from dataclasses import dataclass

from torch import Tensor

from spnrefine.ops.directions import Direction

FORWARD_DEPTH = {64: 8, 128: 8, 256: 8, 512: 8, 1024: 2}
"""Lines a tile, by the threads of a block: the smallest block that takes a whole line is used. As many lines as
registers hold without spilling; powers of two, at least 2."""
BACKWARD_DEPTH = {64: 4, 128: 4, 256: 4, 512: 4}
WIDE_FORWARD_DEPTH = {64: 4, 128: 4, 256: 4}
WIDE_BACKWARD_DEPTH = {64: 2, 128: 2, 256: 2}
"""The same for float64."""
MERGE_THREADS = 256


@dataclass(frozen=True)
class Plan:
    """The shape of one launch."""

    depth: int
    """Lines a tile: loaded together, one tile ahead of use."""
    threads: int
    chunked: bool
    """True where a line is longer than a block."""
    per_block: int
    """Channels a block takes side by side: more than one where they are neighbours in memory."""
    shared: int
    """Bytes of shared memory a block."""
    w_contiguous: bool
    """True where guidance's columns are neighbours in memory, so that horizontal scans transpose as they load."""


def plan(
    x: Tensor,
    guidance: Tensor,
    directions: tuple[Direction, ...],
    *,
    depths: dict[int, int],
    planes: int,
    rows: int,
    itemsize: int,
    shared_limit: int,
) -> Plan:
    """Lay out a launch whose tile is ``planes`` planes of lines plus ``rows`` lines of ``itemsize``-byte numbers."""
    channels, height, width = x.shape[1:]
    length = max(height if direction.horizontal else width for direction in directions)
    w_contiguous = guidance.stride(5) == 1 or width == 1

    def shared(threads: int) -> int:
        return (planes * depths[threads] + rows) * (threads + 32 // depths[threads]) * itemsize

    fitting = [threads for threads in depths if shared(threads) <= shared_limit]
    per_block = 1
    if guidance.shape[3] == channels and guidance.stride(3) == 1 and not w_contiguous:
        per_block = next(p for p in (4, 2, 1) if channels % p == 0 and (p == 1 or p * length <= max(fitting)))
    threads = next((t for t in fitting if t >= length * per_block), max(fitting))
    chunked = threads < length * per_block
    return Plan(depths[threads], threads, chunked, per_block, shared(threads), w_contiguous)
