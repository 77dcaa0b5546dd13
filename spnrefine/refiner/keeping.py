"""What of a map's ids is refined already, kept by whoever works on large maps and may be interrupted."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from spnrefine.model.protocols import Probability
from spnrefine.refiner.noting import Used, heard, note


class Keeper(Protocol):
    """Keeps the refined masks of ids, one map after another, always in the same order."""

    def begin(self) -> None:
        """Go on to the next map, or begin with the first."""

    def recall(self, place: int, shape: tuple[int, int]) -> tuple[Probability, Sequence[Used]] | None:
        """Return what was kept of an id, by its place among all; None where that is nothing, or not of this shape."""

    def keep(self, place: int, probability: Probability, used: Sequence[Used]) -> None:
        """Keep an id's refined mask (h, w), float32 in 0..1, and what was used for it."""


_keepers: ContextVar[Keeper | None] = ContextVar("keepers", default=None)


@contextmanager
def kept_by(keeper: Keeper) -> Iterator[None]:
    """Have ids that are refined within the block, in this thread, kept, and those not refined that were."""
    token = _keepers.set(keeper)
    try:
        yield
    finally:
        _keepers.reset(token)


def recalling(refine: Callable[[int], Probability]) -> Callable[[int, tuple[int, int]], Probability]:
    """Make of what refines the ids of one map, by their places, what does so but for those that are kept.

    It also takes the shape of what comes out.
    """
    keeper = _keepers.get()
    if keeper is None:
        return lambda place, shape: refine(place)
    keeper.begin()

    def recalled(place: int, shape: tuple[int, int]) -> Probability:
        found = keeper.recall(place, shape)
        if found is not None:
            for used in found[1]:
                note(used)
            return found[0]
        before = len(heard())
        probability = refine(place)
        keeper.keep(place, probability, heard()[before:])
        return probability

    return recalled
