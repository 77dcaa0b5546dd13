"""The network's shallow layers on the CPU, from the photograph to a quarter of its sides, in rows that stay cached.

They make more numbers than all deeper ones together, and would spend most of their time on writing and reading them:
the embedded mask, the detail at full and at half resolution, and the encoder's first three blocks. So each row is made
just before it is needed and forgotten soon after. Vectors run along a row at full resolution, along channels below.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.config import DETAIL_FULL
from spnrefine.model.layer_weights import DEEP
from spnrefine.model.routines import routine
from spnrefine.simd import memory
from spnrefine.simd.lanes import LANES
from spnrefine.simd.memory import empty
from spnrefine.simd.team import TEAM, portion

EXPANDED, EXPANDED_AGAIN = 96 // LANES, 144 // LANES
"""Chunks between the layers of the encoder's second block, and of its third."""


class Shallow(NamedTuple):
    """What is made of photograph and mask, whose sides are padded to H and W."""

    state: NDArray[np.float32]  # (H / 2, W / 2, LANES): the embedded mask
    at2: NDArray[np.float32]  # (H / 2, 2, W / 2, LANES): the encoder's first block, and the detail that is halved
    at4: NDArray[np.float32]  # (H / 4, 2, W / 4, LANES): the encoder's third block, and zeros
    deep: NDArray[np.float32]  # (DEEP, H / 4, W / 4): the same
    detail: NDArray[np.float32]  # (DETAIL_FULL, H, W)
    mask: NDArray[np.float32]  # (1, H, W), in -1..1


def shallow(
    image: NDArray[np.uint8],
    coarse: NDArray[np.float32],
    off: float | None,
    size: tuple[int, int],
    weights: NDArray[np.float32],
    threads: int,
) -> Shallow:
    """Run the shallow layers.

    Parameters
    ----------
    image : (H, W, 3) uint8 array, RGB.
    coarse : (H, W) float32 array in 0..1.
    off : what the network is told of the mask; None where it knows of no such thing.
    size : the sides to which image and mask are padded, multiples of 32.
    weights : as :func:`spnrefine.model.layer_weights.shallow` makes them.
    threads : at most so many.
    """
    height, width = size
    half = height // 2, width // 2
    made = Shallow(
        empty((*half, LANES), np.float32),
        empty((half[0], 2, half[1], LANES), np.float32),
        empty((height // 4, 2, width // 4, LANES), np.float32),
        empty((2 * LANES, height // 4, width // 4), np.float32),  # whole chunks are written
        empty((DETAIL_FULL, height, width), np.float32),
        empty((1, height, width), np.float32),
    )
    planes = 4 if off is None else 5
    strip, strips = portion(height // 4, threads)
    threads = min(threads, strips)
    _, stem, _, _, expanded, _, _, again, _, _, details, size_of = parts(width, planes)
    pitch, apart = width + 2 * LANES, (width // 2 + 2) * LANES
    scratch = memory.scratch(
        threads,
        size_of,
        (
            (0, 6 * planes, pitch),
            (stem, 3 * 2, apart),
            (expanded, 3 * EXPANDED, apart),
            (again, 3 * EXPANDED_AGAIN, (width // 4 + 2) * LANES),
            (details, 4 * DETAIL_FULL, pitch),
        ),
    )
    shape = *coarse.shape, height, width, planes, strip
    image, coarse = np.ascontiguousarray(image, np.uint8), np.ascontiguousarray(coarse, np.float32)
    assert image.shape == (*coarse.shape, 3)
    arrays = image, coarse, weights, *made, scratch
    TEAM.run(routine("shallow"), (*shape, *scratch.shape, off or 0.0, *arrays), strips, threads, routine("wait"))
    return made._replace(deep=made.deep[:DEEP])


def parts(width: int, planes: int) -> tuple[int, ...]:
    """Where in the scratch of a thread its parts begin, and its size.

    Six rows of what is seen; of the encoder three rows of the stem, one filtered, one of the first block, three
    expanded, one filtered, two of the second block, three expanded, one filtered, one of the third; four of detail.
    """
    half, quarter = width // 2, width // 4
    pitch, apart = width + 2 * LANES, (half + 2) * LANES
    stem = 6 * planes * pitch
    filtered = stem + 3 * 2 * apart
    mixed = filtered + 2 * half * LANES
    expanded = mixed + half * LANES
    second = expanded + 3 * EXPANDED * apart
    kept = second + EXPANDED * quarter * LANES
    again = kept + 2 * 2 * quarter * LANES
    third = again + 3 * EXPANDED_AGAIN * (quarter + 2) * LANES
    made = third + EXPANDED_AGAIN * quarter * LANES
    details = made + 2 * quarter * LANES
    end = details + 4 * DETAIL_FULL * pitch
    return 0, stem, filtered, mixed, expanded, second, kept, again, third, made, details, end
