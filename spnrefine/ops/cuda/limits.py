"""How large a block of each kernel may be, and what a thread of it takes: what registers allow without spilling."""

from typing import NamedTuple

MERGE_THREADS = 256
"""Of a block of the kernels that merge."""
HALO = 16
"""Lines a launch where lines are cut into pieces, and positions that a piece has beyond either of its ends."""


class Block(NamedTuple):
    """A block of the kernels that scan; ``positions`` and ``lines`` are a thread's, at once."""

    threads: int
    positions: int
    lines: int


def blocks_of(way: str, wide: bool) -> dict[str, Block]:
    """Return the blocks of the kernels of one way, by name; ``wide`` for those that calculate in float64."""
    if way == "forward":
        return {"forward": Block(256 if wide else 512, 2, 4)}
    # where channels are neighbours, more of a sector fits a block that takes fewer lines at once
    return {"backward": Block(256 if wide else 512, 1, 4), "backward_broad": Block(256 if wide else 512, 2, 1)}


def definitions(way: str, wide: bool) -> dict[str, int]:
    """Return the limits by the names that a unit's kernels know them under."""
    defined = {"MERGE_THREADS": MERGE_THREADS}
    for name, block in blocks_of(way, wide).items():
        for what, number in block._asdict().items():
            defined[f"{name}_{what}".upper()] = number
    return defined
