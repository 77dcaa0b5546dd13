"""Whether a coarse mask holds anything to refine: an object, and an edge of it."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.where import any_where
from spnrefine.model.framing import PRESENT

INSIDE = 0.5
"""A probability above this is inside the object."""


def is_empty(probability: NDArray[np.float32]) -> bool:
    """Tell whether there is no object to refine: nothing above 0.1 in an (H, W) mask."""
    return not any_where(lambda rows: rows > PRESENT, probability)


def is_full(probability: NDArray[np.float32], void: NDArray[np.bool_] | None = None) -> bool:
    """Tell whether there is no edge to refine: all above 0.5 in an (H, W) mask, the pixels of ``void`` aside."""
    if void is None:
        return not any_where(lambda rows: ~(rows > INSIDE), probability)
    outside = any_where(lambda rows, free: ~((rows > INSIDE) | free), probability, void)
    return not outside and any_where(lambda rows: rows > INSIDE, probability)
