"""The guidance network's last decoder on the CPU, at half of the resolution, in rows that stay in the cache.

Nearly all of it is one 3x3 convolution, which is done as :mod:`spnrefine.model.winograd` says, in tiles.
"""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.kernel_weights import FEATURES
from spnrefine.model.layer_weights import BELOW
from spnrefine.model.routines import routine
from spnrefine.model.winograd import SEEN, SIDE
from spnrefine.simd.lanes import LANES
from spnrefine.simd.memory import empty
from spnrefine.simd.team import TEAM, portion

CHUNKS = BELOW // LANES
"""Chunks of channels of what comes from below."""
TILES = 16
"""Tiles of 4x4 outputs that are worked on at once: what is made of them stays in the cache."""
COLUMNS = TILES * SIDE + 2
"""Pixels in a row of them."""


def join(
    below: NDArray[np.float32],
    joined: NDArray[np.float32],
    weights: tuple[NDArray[np.float32], NDArray[np.float32]],
    threads: int,
) -> NDArray[np.float32]:
    """Make the features that the gates are made of.

    Parameters
    ----------
    below : (H / 4, W / 4, C) float32 array, of the deeper decoders.
    joined : (H / 2, 2, W / 2, LANES) float32 array, of the shallow layers.
    weights : as :func:`spnrefine.model.layer_weights.joining` makes them.
    threads : at most so many.

    Returns
    -------
    (1, FEATURES, H / 2, W / 2) float32 array.
    """
    height, _, width, _ = joined.shape
    narrow = len(weights[0]) > 0
    features = empty((1, FEATURES, height, width), np.float32)
    strip, strips = portion(height // SIDE, threads)
    threads = min(threads, strips)
    scratch = np.zeros((threads, parts(width, CHUNKS if narrow else CHUNKS + 2)[-1]), np.float32)
    sizes = height, width, narrow, strip, *scratch.shape, *(len(each) for each in weights)
    TEAM.run(routine("join"), (*sizes, below, joined, *weights, features, scratch), strips, threads, routine("wait"))
    return features


def parts(width: int, chunks: int) -> tuple[int, int, int, int, int, int]:
    """Where in the scratch of a thread its parts begin, and its size.

    Six rows of inputs; of some tiles one chunk's columns, what is multiplied, and the products; four rows of outputs.
    """
    columns = SEEN * chunks * (width + 2) * LANES
    points = columns + SEEN * COLUMNS * LANES
    products = points + SEEN * SEEN * chunks * TILES * LANES
    made = products + SEEN * SEEN * TILES * FEATURES
    return 0, columns, points, products, made, made + SIDE * FEATURES * width
