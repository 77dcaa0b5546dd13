"""How lines are laid over blocks: which kernel, how many channels a block, and whether a line is cut into pieces.

Chosen by counting what a line costs; nothing is measured. A scan is a chain of lines, so that what a block does in one
line is what counts, and cutting lines is what gives more multiprocessors a part of it; but pieces meet every ``HALO``
lines, in a launch of their own.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from spnrefine.ops.cuda.compiling import Unit
from spnrefine.ops.cuda.limits import HALO, Block, blocks_of
from spnrefine.ops.cuda.operands import Operands

CORES = (32, 64, 96, 128, 192, 256, 384, 448, 480, 512, 768, 960)
"""Positions that pieces of lines may hand on."""
SECTOR = 32
"""Bytes that a GPU moves at least."""
MULTIPROCESSORS = 132
"""Of an H100, for which all of this is counted."""
ARRAYS = {"forward": 5, "backward": 11}
"""Numbers read and written for each pixel, channel and direction."""
INSTRUCTIONS = {"forward": 60, "backward": 150, "backward_broad": 190}
"""Of a warp, for one position of a line a lane: roughly, as read from the machine code for compute capability 9.0."""
LINE_CYCLES = 200
"""What a line takes at least: what it hands on, and the latencies of what it computes."""
LAUNCH_CYCLES = 5000
"""What one more launch takes until its first line is done: some three microseconds."""
CUT_COST = 1.25
"""By how much cutting must pay: that pieces overlap in memory is not counted."""


class Cut(NamedTuple):
    """How a direction's lines are laid over a kernel's blocks."""

    kernel: str
    block: Block
    side: int
    """Neighbouring channels a block."""
    pieces: int
    """Of each line, a block for each; a launch runs over all lines where there is one, else over ``HALO`` of them."""
    core: int
    """Positions that a piece hands on."""

    @property
    def halo(self) -> int:
        """Positions that a piece has beyond either end of its core."""
        return HALO if self.pieces > 1 else 0

    @property
    def positions(self) -> int:
        """Positions that a block works on."""
        return self.core + 2 * self.halo

    @property
    def threads(self) -> int:
        """How many threads a block has: whole warps."""
        return -(-self.positions // self.block.positions) * self.side + 31 & ~31


def best(operands: Operands, unit: Unit) -> Cut:
    """Choose the cut that costs least."""
    return min(cuts(operands, unit), key=lambda cut: cycles(cut, operands, unit))


def cuts(operands: Operands, unit: Unit) -> Iterator[Cut]:
    """Name all cuts whose blocks are not too large; there is one for any length."""
    length = operands.length
    cores = (length, *(core for core in CORES if core < length))
    for kernel, block in blocks_of(unit.way, unit.wide).items():
        for side, core in product(_sides(operands), cores):
            cut = Cut(kernel, block, side, -(-length // core), core)
            if cut.threads <= block.threads:
                yield cut


def cycles(cut: Cut, operands: Operands, unit: Unit) -> float:
    """Count the cycles that a line of all blocks takes, but for what moves in memory in any case."""
    n, channels = operands.shape[:2]
    blocks = n * len(operands.directions) * cut.pieces * channels // cut.side
    turns = -(-blocks // MULTIPROCESSORS)
    # a pixel lies in a line of the cache of its own, whatever of it is read; where lines are neighbours, some at once
    look_ups = ARRAYS[unit.way] * cut.positions / (1 if operands.channels_last else cut.block.lines)
    issued = cut.threads / 32 * cut.block.positions * INSTRUCTIONS[cut.kernel] / 4  # by four schedulers
    line = max(turns * look_ups, turns * issued, LINE_CYCLES)
    return CUT_COST * (line + LAUNCH_CYCLES / HALO) if cut.pieces > 1 else line


def _sides(operands: Operands) -> Iterator[int]:
    """Name how many neighbouring channels a block may take: a sector's worth at most, where they are last."""
    side = max(SECTOR // operands.guidance_type.itemsize, 1) if operands.channels_last else 1
    while side:
        if operands.shape[1] % side == 0:
            yield side
        side //= 2
