"""How far off a coarse mask's edge may be, as the network is told: one number, 0 where it is not told.

Told coarsely, because nobody knows it exactly: the logarithm of the mean distance between the coarse contour and the
true one, in pixels of the network's input. It is centred on what is most usual, so that not being told is like being
told that; an exact mask has the lowest value there is.
"""

import math

EXACT_PIXELS = 0.1
"""What is nearer than this counts as exact."""
LEAST = 0.25
"""Pixels added before the logarithm, which an exact mask therefore has."""
CENTRE = 0.5
"""The octave that 0 stands for; between the two that are most usual, so that neither is 0."""
OCTAVES = 3.0
"""Octaves from 0 to 1."""
MOST = 5.0
"""The highest octave told apart: 32 pixels."""


def coded(pixels: float | None) -> float:
    """Return what the network is told of an edge that is ``pixels`` off, in pixels of its input; None: not told."""
    if pixels is None:
        return 0.0
    octave = math.log2((0.0 if pixels < EXACT_PIXELS else pixels) + LEAST)
    return (min(octave, MOST) - CENTRE) / OCTAVES
