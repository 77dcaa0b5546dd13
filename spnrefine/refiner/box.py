"""The box in which an object is seen."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box, bounding_box
from spnrefine.model.framing import PRESENT, margin
from spnrefine.refiner.parts import LEAST_FRAME

RIM = 4
"""Pixels of a view beyond all that a refinement may change: what measures the result looks so far."""


def object_box(coarse: NDArray[np.float32]) -> Box | None:
    """Return the box of the pixels above 0.1, grown by a margin and clipped to the image; None where there are none."""
    box = bounding_box(coarse > PRESENT)
    return None if box is None else seen_box(box, *coarse.shape)


def view_of(box: Box, height: int, width: int) -> Box:
    """Return the box of an image in which a mask that lies in ``box`` is refined just as in the whole image.

    All that the refiner sees of any of its parts lies in it, and what may change is `RIM` pixels or more from its edge.
    """
    return box.grown(max(int(margin(box.longer)), LEAST_FRAME // 2) + RIM, height, width)


def seen_box(box: Box, height: int, width: int) -> Box:
    """Return the box of an object, grown by the margin with which it is seen and clipped to an image of that size."""
    return box.grown(int(margin(box.longer)), height, width)
