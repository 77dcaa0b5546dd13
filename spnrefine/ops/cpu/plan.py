"""Cut a call into tasks for several threads: which parts of which sweeps, and what each must wait for.

Two opposite scans can run at the same time and wait for each other but once: each covers the half of the image where it
starts, then, when both have, the other half. So two threads are busy with one image and all its channels, no cache line
of the gates is read twice, and results are merged where they are made.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from spnrefine.ops.directions import ALL_DIRECTIONS, Direction

IMAGE, WAY, DIRECTION, CHANNEL, CHANNEL_END, LINE, LINE_END, FRESH = range(8)
"""Columns of a sweep: image, index and value of the direction, channels, lines (counted the way the scan runs), and
whether nothing was written to these pixels before."""

FIRST, LAST, WAIT = range(3)
"""Columns of a task: its rows of the sweeps, and how many tasks must be done before it may start."""

SWEEP, TASK = 8, 3  # how many columns both have

TILE_LINES, TILE_LENGTH = 4, 16  # of channels-last memory: what a horizontal scan goes through at a time
EDGES = 2 * TILE_LINES
"""How many vectors of all channels the edges of a tile take."""

STRIP = 128
"""Columns in a strip of planar memory."""

TABLES = 6
"""How many tables of a strip's size the scratch of one thread holds."""


class Plan(NamedTuple):
    """``sweeps`` (S, 8) in an order in which they can run, and ``tasks`` (M, 3) that divide them among threads."""

    sweeps: np.ndarray
    tasks: np.ndarray


class _Part(NamedTuple):
    """A range of lines of one direction's scan."""

    way: int
    direction: Direction
    line: int
    line_end: int
    fresh: bool


@lru_cache(maxsize=256)
def plan(
    shape: tuple[int, ...], directions: tuple[Direction, ...], threads: int, channel_step: int, backward: bool
) -> Plan:
    """Divide a call on ``x`` of ``shape`` (N, C, H, W), cutting channels.

    They are cut if need be, at multiples of ``channel_step``, and each from the next if that is 0.
    """
    batch, channels, height, width = shape
    stages = _stages(directions, height, width, backward)
    alone = max(len(stage) for stage in stages)  # threads that one block of one image keeps busy
    step = 1
    if channel_step:
        cuts = min(-(-threads // (batch * alone)), -(-channels // channel_step))
        step = -(-channels // (cuts * channel_step)) * channel_step
    blocks = [(n, c, min(c + step, channels)) for n in range(batch) for c in range(0, channels, step)]

    sweeps: list[tuple[int, ...]] = []
    tasks: list[tuple[int, int, int]] = []

    def add_sweep(block: tuple[int, int, int], part: _Part) -> None:
        image, channel, end = block
        sweeps.append((image, part.way, part.direction, channel, end, part.line, part.line_end, part.fresh))

    whole = len(blocks) if len(blocks) >= 4 * threads else len(blocks) // threads * threads
    for block in blocks[:whole]:  # one thread does all of it, while it is in that core's cache
        first = len(sweeps)
        for stage in stages:
            for part in stage:
                add_sweep(block, part)
        tasks.append((first, len(sweeps), 0))
    if whole < len(blocks):
        for number, stage in enumerate(stages):
            wait = len(tasks) if number else 0
            for block in blocks[whole:]:
                for part in stage:
                    add_sweep(block, part)
                    tasks.append((len(sweeps) - 1, len(sweeps), wait))
    if threads == 1:
        tasks = [(0, len(sweeps), 0)]
    return Plan(np.array(sweeps, np.int64).reshape(-1, 8), np.array(tasks, np.int64).reshape(-1, 3))


def _stages(directions: tuple[Direction, ...], height: int, width: int, backward: bool) -> list[list[_Part]]:
    """Group parts of scans so that those in one stage touch no pixel twice."""
    halves: list[list[tuple[int, Direction, int, int]]] = []
    if directions == ALL_DIRECTIONS:
        for pair, lines in ((directions[:2], width), (directions[2:], height)):
            forth, back = pair
            middle = lines // 2
            early = [(forth, 0, middle), (back, 0, lines - middle)]
            late = [(forth, middle, lines), (back, lines - middle, lines)]
            for half in (late, early) if backward else (early, late):
                halves.append([(directions.index(direction), direction, line, end) for direction, line, end in half])
        fresh = halves[:1]
    else:
        halves = [
            [(i, direction, 0, width if direction.horizontal else height)] for i, direction in enumerate(directions)
        ]
        fresh = halves[:1]
    return [[_Part(*part, half in fresh) for part in half if part[2] < part[3]] for half in halves]
