"""A picture worked through piece by piece, each seen with what surrounds it, so that memory stays small."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box


class Tile(NamedTuple):
    """``core``, the pixels that a tile is for; ``seen``, those and what surrounds them."""

    core: Box
    seen: Box

    @property
    def inner(self) -> tuple[slice, slice]:
        """Where the core lies in what is seen."""
        return self.core.inside(self.seen).slices


def tiles(wanted: NDArray[np.bool_], side: int, surround: int) -> Iterator[Tile]:
    """Cut a picture into tiles of ``side`` pixels, and leave out those in which nothing of ``wanted`` (H, W) lies."""
    height, width = wanted.shape
    for top in range(0, height, side):
        for left in range(0, width, side):
            core = Box(top, min(top + side, height), left, min(left + side, width))
            if wanted[core.slices].any():
                yield Tile(core, core.grown(surround, height, width))
