"""The guidance network's last two decoders on the CPU, up to half of the resolution, in rows that stay in the cache.

Nearly all of each is one 3x3 convolution, which is done as :mod:`spnrefine.model.winograd` says, in tiles.
"""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.layer_weights import Joining
from spnrefine.model.routines import routine
from spnrefine.model.winograd import SEEN, SIDE
from spnrefine.simd import memory
from spnrefine.simd.lanes import LANES
from spnrefine.simd.memory import empty
from spnrefine.simd.team import TEAM, portion

TILES = 16
"""Tiles of 4x4 outputs that are worked on at once: what is made of them stays in the cache."""
COLUMNS = TILES * SIDE + 2
"""Pixels in a row of them."""


def join(
    below: NDArray[np.float32],
    at4: NDArray[np.float32],
    at2: NDArray[np.float32],
    weights: tuple[Joining, Joining],
    threads: int,
) -> NDArray[np.float32]:
    """Make the features that the gates are made of.

    Parameters
    ----------
    below : (H / 8, W / 8, C) float32 array, of the deeper decoders.
    at4, at2 : (H / 4, 2, W / 4, LANES) and (H / 2, 2, W / 2, LANES) float32 arrays, of the shallow layers.
    weights : as :func:`spnrefine.model.layer_weights.joining` makes them.
    threads : at most so many.

    Returns
    -------
    (1, FEATURES, H / 2, W / 2) float32 array.
    """
    first, last = weights
    between = empty((at4.shape[0], first.outputs, at4.shape[2], LANES), np.float32)
    _join(below, (below.shape[2], LANES), at4, first, between, threads, planes=False)
    features = empty((1, last.outputs * LANES, at2.shape[0], at2.shape[2]), np.float32)
    _join(between, (LANES, between.shape[2] * LANES), at2, last, features, threads, planes=True)
    return features


def _join(
    below: NDArray[np.float32],
    steps: tuple[int, int],
    beside: NDArray[np.float32],
    weights: Joining,
    out: NDArray[np.float32],
    threads: int,
    *,
    planes: bool,
) -> None:
    """Run one decoder; ``steps`` of ``below`` are those from pixel to pixel, and from chunk to chunk."""
    height, _, width, _ = beside.shape
    narrow = len(weights.beside) > 0
    strip, strips = portion(height // SIDE, threads)
    threads = min(threads, strips)
    chunks = weights.below if narrow else weights.below + 2
    size = parts(width, chunks, weights.outputs)[-1]
    scratch = memory.scratch(threads, size, ((0, SEEN * chunks, (width + 2) * LANES),))
    arrays = weights.beside, weights.numbers, weights.mixed
    shape = height, width, weights.below, narrow, weights.outputs, len(weights.mixed) > 0, planes, strip, *steps
    sizes = *scratch.shape, *(len(each) for each in arrays)
    TEAM.run(routine("join"), (*shape, *sizes, below, beside, *arrays, out, scratch), strips, threads, routine("wait"))


def parts(width: int, chunks: int, outputs: int) -> tuple[int, int, int, int, int, int]:
    """Where in the scratch of a thread its parts begin, and its size.

    Six rows of inputs; of some tiles one chunk's columns, what is multiplied, and the products; four rows of outputs.
    """
    columns = SEEN * chunks * (width + 2) * LANES
    points = columns + SEEN * COLUMNS * LANES
    products = points + SEEN * SEEN * chunks * TILES * LANES
    made = products + SEEN * SEEN * TILES * outputs * LANES
    return 0, columns, points, products, made, made + SIDE * outputs * width * LANES
