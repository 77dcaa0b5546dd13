"""Rectangles of pixels, and the one in which an object is seen."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.framing import PRESENT, margin


class Box(NamedTuple):
    """A rectangle of pixels; ``bottom`` and ``right`` are exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def longer(self) -> int:
        """The longer side, in pixels."""
        return max(self.height, self.width)

    def inside(self, frame: "Box") -> "Box":
        """Return what of the box lies in ``frame``, counted from the corner of that."""
        return Box(
            max(self.top - frame.top, 0),
            min(self.bottom, frame.bottom) - frame.top,
            max(self.left - frame.left, 0),
            min(self.right, frame.right) - frame.left,
        )

    def grown(self, pixels: int, height: int, width: int) -> "Box":
        """Return the box grown on every side, clipped to an image of the given size."""
        return Box(
            max(self.top - pixels, 0),
            min(self.bottom + pixels, height),
            max(self.left - pixels, 0),
            min(self.right + pixels, width),
        )


def bounding_box(inside: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around the pixels that are set; None where there are none."""
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return None
    return Box(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def object_box(coarse: NDArray[np.float32]) -> Box | None:
    """Return the box of the pixels above 0.1, grown by a margin and clipped to the image; None where there are none."""
    box = bounding_box(coarse > PRESENT)
    if box is None:
        return None
    longer = max(box.bottom - box.top, box.right - box.left)
    return box.grown(int(margin(longer)), *coarse.shape)
