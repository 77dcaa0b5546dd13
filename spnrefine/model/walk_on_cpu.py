"""A round of the network's propagation on the CPU, under gates in the order in which its scans walk."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.gates_on_cpu import TILE_LENGTH, TILE_LINES, Gates
from spnrefine.model.routines import routine
from spnrefine.ops.cpu.plan import plan
from spnrefine.ops.cpu.scans import ALONE
from spnrefine.ops.directions import ALL_DIRECTIONS
from spnrefine.simd.lanes import LANES
from spnrefine.simd.memory import aligned, empty
from spnrefine.simd.team import TEAM


def propagate(state: NDArray[np.float32], gates: Gates, threads: int) -> NDArray[np.float32]:
    """Scan a state (1, H, W, C), float32 and of the gates' size, from all sides and keep the elementwise maximum."""
    height, width, channels = gates.height, gates.width, gates.channels
    if state.size * len(ALL_DIRECTIONS) < ALONE:
        threads = 1
    schedule = plan((1, channels, height, width), ALL_DIRECTIONS, threads, LANES, False)
    out = empty(state.shape, np.float32)
    line = (max(height, width) + 2 * TILE_LINES + TILE_LENGTH) * LANES
    scratch = aligned(4 * len(ALL_DIRECTIONS) * channels // LANES * line).view(np.float32)
    sizes = len(schedule.sweeps), len(schedule.tasks), height, width, channels, line
    arrays = schedule.sweeps, schedule.tasks, np.ascontiguousarray(state).ravel(), gates.flat, out.ravel(), scratch
    TEAM.run(routine("propagate"), (*sizes, *arrays), len(schedule.tasks), threads, routine("wait"))
    return out
