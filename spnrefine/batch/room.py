"""The memory that the portions of a batch share: those that would not fit wait until others are done."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

BYTES_A_PIXEL = 72
"""What a refinement takes for each pixel of its photograph, at most as measured from 4 to 40 megapixels."""
SHARE = 0.8
"""Of the memory that is free, what a batch may take: the rest is for what is not counted."""


class Room:
    """Bytes that portions take while they are worked on; several threads use it at once.

    Parameters
    ----------
    free : bytes that can be had in all; None where nobody knows, and then nothing waits.
    """

    def __init__(self, free: int | None):
        self._total = None if free is None else SHARE * free
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, needed: int) -> Iterator[None]:
        """Wait until ``needed`` bytes are there, and hold them. What is more than all there is goes on alone."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(needed))
            self._taken += needed
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()

    def _fits(self, needed: int) -> bool:
        return self._total is None or not self._taken or self._taken + needed <= self._total
