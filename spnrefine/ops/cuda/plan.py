"""How a propagation is laid over blocks and threads."""

from dataclasses import dataclass

from torch import Tensor

from spnrefine.ops.directions import Direction


@dataclass(frozen=True)
class Tiles:
    """Block sizes with the lines a tile that their registers hold without spilling: powers of two, at least 2."""

    whole: dict[int, int]
    """Lines a tile by the threads of a block that takes whole lines: the smallest block that does is used."""
    chunked: dict[int, int]
    """The same for longer lines, best first."""


FORWARD = Tiles({64: 4, 128: 4, 256: 8, 512: 8, 1024: 2}, {512: 8, 256: 8})
BACKWARD = Tiles({64: 4, 128: 4, 256: 4, 512: 4}, {512: 2})
FORWARD_FLOAT64 = Tiles({64: 4, 128: 4, 256: 4}, {256: 4})
BACKWARD_FLOAT64 = Tiles({64: 2, 128: 2, 256: 2}, {256: 2})
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
    tiles: Tiles,
    planes: int,
    rows: int,
    itemsize: int,
    shared_limit: int,
) -> Plan:
    """Lay out a launch whose tile is ``planes`` planes of lines plus ``rows`` lines of ``itemsize``-byte numbers."""
    channels, height, width = x.shape[1:]
    length = max(height if direction.horizontal else width for direction in directions)
    w_contiguous = guidance.stride(5) == 1 or width == 1

    def shared(threads: int, depth: int) -> int:
        return (planes * depth + rows) * (threads + 32 // depth) * itemsize

    def fitting(sizes: dict[int, int]) -> dict[int, int]:
        return {threads: depth for threads, depth in sizes.items() if shared(threads, depth) <= shared_limit}

    whole = fitting(tiles.whole)
    per_block = 1
    if guidance.shape[3] == channels and guidance.stride(3) == 1 and not w_contiguous:
        per_block = next(p for p in (4, 2, 1) if channels % p == 0 and (p == 1 or p * length <= max(whole)))
    chunked = length * per_block > max(whole)
    if chunked:
        threads, depth = next(iter(fitting(tiles.chunked).items()))
    else:
        threads, depth = next(item for item in whole.items() if item[0] >= length * per_block)
    return Plan(depth, threads, chunked, per_block, shared(threads, depth), w_contiguous)
