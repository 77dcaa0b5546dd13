"""How a propagation is laid over blocks and threads."""

from dataclasses import dataclass

from torch import Tensor

from spnrefine.ops.directions import Direction

FORWARD_TILES = ((8, 512), (4, 1024))
"""(lines a tile, most threads a block), the first that takes a whole line is used; both compiled to fit registers."""
BACKWARD_TILES = ((4, 512),)
MERGE_THREADS = 256


@dataclass(frozen=True)
class Plan:
    """The shape of one launch."""

    depth: int
    """Lines a tile: loaded together, one tile ahead of use."""
    threads: int
    most_threads: int
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
    tiles: tuple[tuple[int, int], ...],
    planes: int,
    rows: int,
    itemsize: int,
    shared_limit: int,
) -> Plan:
    """Lay out a launch whose tile is ``planes`` planes of lines plus ``rows`` lines of ``itemsize``-byte numbers."""
    channels, height, width = x.shape[1:]
    length = max(height if direction.horizontal else width for direction in directions)
    w_contiguous = guidance.stride(5) == 1 or width == 1

    per_block = 1
    if guidance.shape[3] == channels and guidance.stride(3) == 1 and not w_contiguous:
        most = max(threads for _, threads in tiles)
        per_block = next(p for p in (4, 2, 1) if channels % p == 0 and (p == 1 or p * length <= most))

    def shared(depth: int, threads: int) -> int:
        return (planes * depth + rows) * (threads + 32 // depth) * itemsize

    whole = -(-length * per_block // 32) * 32
    for depth, most in tiles:
        if whole <= most and shared(depth, whole) <= shared_limit:
            return Plan(depth, whole, most, per_block, shared(depth, whole), w_contiguous)
    depth, most = tiles[0]
    threads = next(t for t in range(most, 0, -32) if shared(depth, t) <= shared_limit)
    return Plan(depth, threads, most, per_block, shared(depth, threads), w_contiguous)
