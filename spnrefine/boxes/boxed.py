"""A mask of a large picture that holds no more pixels than its object's box."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box, bounding_box

NOWHERE = Box(0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Boxed:
    """A mask (H, W) that is nothing outside a box; ``numpy.asarray`` gives it whole.

    Attributes
    ----------
    size : (H, W), that of the picture.
    box : where the pixels lie.
    pixels : (box.height, box.width), bools or ids.

    Examples
    --------
    >>> mask = np.zeros((3000, 4000), bool)
    >>> mask[20:30, 40:60] = True
    >>> boxed = Boxed.of(mask)
    >>> boxed.box, boxed.pixels.nbytes
    (Box(top=20, bottom=30, left=40, right=60), 200)
    >>> bool((np.asarray(boxed) == mask).all())
    True
    """

    size: tuple[int, int]
    box: Box
    pixels: NDArray[Any]

    @classmethod
    def of(cls, mask: NDArray[Any]) -> "Boxed":
        """Keep of a mask (H, W) what its box holds: a copy."""
        return cls.whole(mask).tight()

    @classmethod
    def whole(cls, mask: NDArray[Any]) -> "Boxed":
        """Take a mask (H, W) as it is: its box is the picture."""
        height, width = mask.shape
        return cls((height, width), Box(0, height, 0, width), mask)

    @classmethod
    def nothing(cls, size: tuple[int, int]) -> "Boxed":
        """Return a mask of bools without any pixel."""
        return cls(size, NOWHERE, np.zeros((0, 0), np.bool_))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = np.zeros(self.size, self.pixels.dtype if dtype is None else dtype)
        whole[self.box.slices] = self.pixels
        return whole

    @property
    def area(self) -> int:
        """How many pixels are set."""
        return int(np.count_nonzero(self.pixels))

    def tight(self) -> "Boxed":
        """Return it in the smallest box that holds all that is set, with pixels of its own."""
        box = bounding_box(self.pixels != 0)
        if box is None:
            return Boxed(self.size, NOWHERE, np.zeros((0, 0), self.pixels.dtype))
        return Boxed(self.size, box.moved(self.box.top, self.box.left), self.pixels[box.slices].copy())

    def within(self, frame: Box) -> NDArray[Any]:
        """Return what it holds in a rectangle of the picture: a new array (frame.height, frame.width)."""
        found = np.zeros((frame.height, frame.width), self.pixels.dtype)
        both = self.box.cut(frame)
        if both.height and both.width:
            found[both.inside(frame).slices] = self.pixels[both.inside(self.box).slices]
        return found

    def equals(self, other: "Boxed") -> bool:
        """Tell whether two masks are the same, whatever their boxes."""
        one, two = self.tight(), other.tight()
        return one.size == two.size and one.box == two.box and np.array_equal(one.pixels, two.pixels)
