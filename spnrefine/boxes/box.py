"""Rectangles of pixels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


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
        return self.cut(frame).moved(-frame.top, -frame.left)

    def cut(self, frame: "Box") -> "Box":
        """Return what of the box lies in ``frame``; a box without pixels where nothing does."""
        top, left = max(self.top, frame.top), max(self.left, frame.left)
        return Box(top, max(min(self.bottom, frame.bottom), top), left, max(min(self.right, frame.right), left))

    def gap(self, other: "Box") -> int:
        """Return how many pixels lie between the box and another, down or across; negative where they overlap."""
        down = max(other.top - self.bottom, self.top - other.bottom)
        return max(down, other.left - self.right, self.left - other.right)

    def moved(self, down: int, right: int) -> "Box":
        """Return the box moved by so many pixels."""
        return Box(self.top + down, self.bottom + down, self.left + right, self.right + right)

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


def around(boxes: list[Box]) -> Box:
    """Return the smallest box around one or more."""
    return Box(
        min(box.top for box in boxes),
        max(box.bottom for box in boxes),
        min(box.left for box in boxes),
        max(box.right for box in boxes),
    )
