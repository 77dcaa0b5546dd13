"""How an object is framed for the network, at inference and in training alike: its surroundings, and its scale."""

from typing import Any

import numpy as np

PRESENT = 0.1
"""A coarse probability above this belongs to the object."""
MARGIN = 0.25  # of the longer side of the object's box, on every side of it, plus
MARGIN_PIXELS = 8
MOST_ENLARGED = 1.5
"""Small objects are enlarged up to this factor."""
SMALLEST_SIDE = 32
"""Pixels; no side of what the network sees is shorter."""


def margin(longer: Any) -> Any:
    """Return how far the frame of an object goes beyond its box, in whole pixels.

    ``longer`` is the longer side of the box in pixels: a number, or an array of them.
    """
    return np.floor(MARGIN * longer) + MARGIN_PIXELS


def working_size(height: int, width: int, working_side: int) -> tuple[int, int]:
    """Return the height and width at which the network sees a frame of the given size, all in pixels.

    ``working_side`` is what the longer side is shrunk to, or enlarged to if :data:`MOST_ENLARGED` allows.
    """
    scale = min(MOST_ENLARGED, working_side / max(height, width))
    return max(round(height * scale), SMALLEST_SIDE), max(round(width * scale), SMALLEST_SIDE)
