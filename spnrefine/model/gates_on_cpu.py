"""The guidance network's last layer on the CPU: gates, normalised, in the order in which the scans read them.

It makes more numbers than all others together: for each pixel, six times as many as it takes. Every round of
propagation waits for all of them to come from memory. So what can be done to them once is done here: they take two
thirds of the room, and lie one after the other.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.kernel_weights import FEATURES, GatesWeights
from spnrefine.model.routines import routine
from spnrefine.model.weights import check_output
from spnrefine.simd.lanes import LANES
from spnrefine.simd.memory import aligned, empty
from spnrefine.simd.team import TEAM

TILE_LINES, TILE_LENGTH = 16, 8
"""What horizontal scans go through at a time; vertical ones, line after line."""

SIDE = 16
"""Heights and widths are multiples of it, and it of both sides of a tile."""

BAND = 8
"""Rows of pixels in a task."""

WORDS = 2 * LANES
"""What a pixel's three taps take, of one direction and as many channels as lanes: see :mod:`spnrefine.simd.thirds`."""

PIXELS, TAPS = 8, 3
"""The block that is computed at once."""

SUMS = SIDE * BAND * FEATURES
MARKS = SUMS + PIXELS * TAPS * LANES
SCRATCH = MARKS + LANES
"""A thread's scratch: features, side by side for each pixel; a block; and what says whether all was finite."""


class Gates(NamedTuple):
    """Gates of an image (height, width): flat, a plane for each direction and ``LANES`` channels.

    In a plane a pixel's taps lie side by side, in ``WORDS`` words, and pixels in the order in which the direction's
    scan walks, see :mod:`spnrefine.model.walk_kernels`. Taps whose source lies outside are 0.
    """

    flat: NDArray[np.int32]
    height: int
    width: int
    channels: int


def gates(features: NDArray[np.float32], weights: GatesWeights, threads: int) -> Gates:
    """Apply a 1x1 convolution and normalise what comes out: three taps share what they exceed a sum of 1 by.

    Parameters
    ----------
    features : (F, h, w) float32 array; h and w are multiples of ``SIDE``.
    weights : of F inputs.
    threads : at most so many.

    Raises
    ------
    WeightsError
        A gate is not finite.
    """
    count, height, width = features.shape
    directions, blocks = weights.bias.shape[:2]
    planes = directions * blocks
    out = empty((planes * plane_pixels(height, width) * WORDS,), np.int32)
    scratch = aligned(4 * threads * SCRATCH).view(np.float32).reshape(threads, -1)
    scratch[:, MARKS:] = 0
    arrays = features.ravel(), weights.weight.ravel(), weights.bias.ravel(), out, scratch
    sizes = height, width, count, planes, threads
    TEAM.run(routine("gates"), (*sizes, *arrays), height // BAND, threads, routine("wait"))
    check_output(scratch[:, MARKS:])  # words would hide it
    return Gates(out, height, width, blocks * LANES)


def plane_pixels(height: int, width: int) -> int:
    """The pixels that a plane has room for: tiles slant, and stand out at both ends of their lines."""
    return tiles_along(height) * TILE_LENGTH * width


def tiles_along(length: int) -> int:
    """How many tiles there are along lines of a horizontal scan."""
    return (length + TILE_LINES - 1 + TILE_LENGTH - 1) // TILE_LENGTH
