"""What was used for a mask, told by the refiner to whoever listens: its own answer is the refined mask alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Used:
    """What a refiner used for one mask.

    Attributes
    ----------
    strength : 0..1, how far the contour went from the coarse to the refined one.
    off : pixels that the mask's edge was said to be off, None where nothing was said.
    quality_before, quality_after : the IoU with the truth that is expected of the coarse mask and of the one that came
        out; None where a mask has no contour.
    temperature : at which probabilities are to be written, see :mod:`spnrefine.refiner.temperature`; None: as they are.
    """

    strength: float = 1.0
    off: float | None = None
    quality_before: float | None = None
    quality_after: float | None = None
    temperature: float | None = None


ENOUGH = 12
"""Masks of one map whose quality a listener is told: of small ones it takes half as long as refining them."""
_listeners: ContextVar[list[Used] | None] = ContextVar("listeners", default=None)
_judged: ContextVar[bool] = ContextVar("judged", default=True)


@contextmanager
def listening(*, judged: bool = True) -> Iterator[list[Used]]:
    """Collect what refiners use within the block, in this thread; one entry a mask.

    Not ``judged``, how good masks are is not found out, nor in blocks within this one.
    """
    collected: list[Used] = []
    tokens = _listeners.set(collected), _judged.set(judged and _judged.get())
    try:
        yield collected
    finally:
        _listeners.reset(tokens[0])
        _judged.reset(tokens[1])


def anyone_listens() -> bool:
    """Tell whether it is worth finding out what only a listener wants to know, and has not heard of many masks."""
    return _listeners.get() is not None and len(heard()) < ENOUGH and _judged.get()


def heard() -> Sequence[Used]:
    """Return what the innermost listener of this thread has heard so far."""
    return _listeners.get() or []


def note(used: Used) -> None:
    """Tell the innermost listener of this thread, if there is one."""
    listener = _listeners.get()
    if listener is not None:
        listener.append(used)


_counters: ContextVar[Callable[[int, int], None] | None] = ContextVar("counters", default=None)


@contextmanager
def counting(tell: Callable[[int, int], None]) -> Iterator[None]:
    """Have ``tell`` called within the block, in this thread, for each id of a map: how many are done, of how many."""
    token = _counters.set(tell)
    try:
        yield
    finally:
        _counters.reset(token)


def count(done: int, total: int) -> None:
    """Say that ``done`` of the ``total`` ids of a map are refined."""
    tell = _counters.get()
    if tell is not None:
        tell(done, total)
