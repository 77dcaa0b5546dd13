"""Small objects of a picture that share passes of the network; each is refined for itself in all other respects."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.model.protocols import Image, Probability, RefinesMasks
from spnrefine.refiner.blocks import without_blocks
from spnrefine.refiner.parts import nearest
from spnrefine.refiner.sheets import Objects, Tile

Finish = Callable[[int, Image, Probability, Probability], Probability]
"""Makes of an object's position, picture, mask and what was seen of it, all in its box, the refined mask there."""


@dataclass(frozen=True, eq=False)
class Pass:
    """A tile, and the network that sees it."""

    tile: Tile
    see: RefinesMasks


class Shared:
    """Refines those of a picture's objects that lie in a tile with others; several threads may ask.

    Nothing is seen before it is asked for, and nothing is held of an object that was asked for.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB.
    """

    def __init__(self, image: Image, objects: Objects, passes: Iterable[Pass], finish: Finish):
        self._image, self._objects, self._finish = image, objects, finish
        self._passes = {one: each for each in passes for one in each.tile.own}
        self._seen: dict[int, NDArray[np.float32]] = {}
        self._lock = Lock()

    def __contains__(self, position: int) -> bool:
        return position in self._passes

    def __call__(self, position: int) -> NDArray[np.float32]:
        """Return the refined mask of an object in its :meth:`Objects.seen` box, (h, w) float32 in 0..1."""
        with self._lock:
            if position not in self._seen:
                self._look(self._passes[position])
            seen = self._seen.pop(position)
        here = self._objects.seen(position).slices
        coarse = self._objects.coarse(position)
        return self._finish(position, np.ascontiguousarray(self._image[here]), coarse, seen)

    def tile(self, position: int) -> Tile:
        """Return the tile from which an object is taken: its refined mask rests on what is seen in that alone."""
        return self._passes[position].tile

    def within(self, view: Box, position: int, coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``coarse``, (view.height, view.width), with the refined mask of an object put into it."""
        refined = coarse.copy()
        refined[self._objects.seen(position).inside(view).slices] = self(position)
        return refined

    def of(self, positions: Sequence[int]) -> "SharedBySome":
        """Return what refines some of the objects, numbered anew in that order."""
        return SharedBySome(self, positions)

    def _look(self, one: Pass) -> None:
        """Have a tile seen, and keep what was seen of its own objects: of each what is nearest to it."""
        frame = one.tile.box
        coarse = np.zeros((frame.height, frame.width), np.float32)
        numbers = np.zeros(coarse.shape, np.int32)
        shown = [(position, *self._in(frame, position)) for position in one.tile.shown]
        for number, (_, place, mask) in enumerate(shown, 1):
            np.maximum(coarse[place], without_blocks(mask), out=coarse[place])
            numbers[place][mask > 0.5] = number
        seen = one.see(np.ascontiguousarray(self._image[frame.slices]), coarse)
        owners = nearest(numbers)
        own = set(one.tile.own)
        for number, (position, place, mask) in enumerate(shown, 1):
            if position in own:
                self._seen[position] = np.where(owners[place] == number, seen[place], mask)

    def _in(self, frame: Box, position: int) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
        """Return where in ``frame`` an object is seen, and its mask there."""
        box = self._objects.seen(position)
        both = box.cut(frame)
        return both.inside(frame).slices, self._objects.coarse(position)[both.inside(box).slices]


@dataclass(frozen=True)
class SharedBySome:
    """Some of the objects of :class:`Shared`, numbered anew."""

    shared: Shared
    positions: Sequence[int]

    def __contains__(self, position: int) -> bool:
        return self.positions[position] in self.shared

    def __call__(self, position: int) -> NDArray[np.float32]:
        return self.shared(self.positions[position])


MayBeShared = Shared | SharedBySome


@runtime_checkable
class SharesPasses(RefinesMasks, Protocol):
    """A refiner that can see small objects together."""

    def share(self, image: Image, objects: Objects) -> Shared:
        """Find which of a picture's objects share passes; nothing is seen yet."""


def share(refine: RefinesMasks, image: Image, objects: Objects) -> Shared:
    """Find which objects share passes: none where ``refine`` knows of no such thing."""
    if isinstance(refine, SharesPasses):
        return refine.share(image, objects)
    return Shared(image, objects, (), lambda *_: np.zeros(0, np.float32))
