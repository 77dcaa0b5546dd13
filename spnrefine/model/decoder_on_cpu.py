"""The decoder on the CPU: ``SPN.finish`` and a sigmoid in one pass, in rows that stay in the cache.

Most of it is one convolution at full resolution, over the upsampled state, the detail and the mask, done along the
height as :mod:`spnrefine.model.winograd` says. So each row of these channels is made just before it is needed and
forgotten soon after: scratch holds a few rows of them and of the hidden channels, with zeros around for the
convolutions' padding. Vectors run along a row.
"""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.kernel_weights import HIDDEN, DecoderWeights
from spnrefine.model.routines import routine
from spnrefine.model.winograd import SEEN, SIDE
from spnrefine.simd import memory
from spnrefine.simd.lanes import LANES
from spnrefine.simd.team import TEAM, portion

KEPT, WIDE = 8, 4
"""Rows that are kept of hidden channels, and of the state at twice its width."""


def decode(
    state: NDArray[np.float32],
    detail: NDArray[np.float32],
    mask: NDArray[np.float32],
    weights: DecoderWeights,
    threads: int,
) -> NDArray[np.float32]:
    """Decode what was propagated to probabilities.

    Parameters
    ----------
    state : (H / 2, W / 2, C) float32 array; H and W are multiples of 32.
    detail, mask : (D, H, W) and (M, H, W) float32 arrays, the channels that follow the state's.
    weights : of C + D + M inputs.
    threads : at most so many.

    Returns
    -------
    (H, W) float32 array in 0..1.
    """
    height, width = mask.shape[1:]
    shape = height, width, state.shape[2], len(detail), len(mask)
    arrays = [np.ascontiguousarray(array).ravel() for array in (state, detail, mask)]
    probability = np.empty((height, width), np.float32)
    strip, strips = portion(height // SIDE, threads)
    threads = min(threads, strips)
    _, inputs, points, _, hidden, size = parts(*shape)
    pitch, count = width + 2 * LANES, sum(shape[2:])
    margins = (inputs, SEEN * (count - shape[2]), pitch), (points, SEEN * count, pitch), (hidden, KEPT * HIDDEN, pitch)
    scratch = memory.scratch(threads, size, margins)
    arguments = *shape, strip * SIDE, *scratch.shape, *arrays, *weights, probability.ravel(), scratch.ravel()
    TEAM.run(routine("decode"), arguments, strips, threads, routine("wait"))
    # the sigmoid of the logits, in a form that cannot overflow
    probability *= np.float32(0.5)
    np.tanh(probability, out=probability)
    probability += np.float32(1)
    probability *= np.float32(0.5)
    return probability


def parts(height: int, width: int, channels: int, details: int, masks: int) -> tuple[int, int, int, int, int, int]:
    """Where in the scratch of a thread its parts begin, and its size.

    A row of the state turned to planes, four rows of it widened, six rows of what else comes in, as many of what is
    multiplied, the sums of the products, and rows of hidden channels.
    """
    pitch, count = width + 2 * LANES, channels + details + masks
    wide = channels * (width // 2 + 2 * LANES)
    inputs = wide + WIDE * channels * width
    points = inputs + SEEN * (details + masks) * pitch
    products = points + SEEN * count * pitch
    hidden = products + SEEN * HIDDEN * width
    end = hidden + KEPT * HIDDEN * pitch
    return wide, inputs, points, products, hidden, end
