"""One run at a time: an object that says who writes to a folder of a store, put again as long as the run goes on.

A store knows no locks that end with their process. A claim that was not put again for a while is dead; so is one of
this machine whose process has gone.
"""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from spnrefine.errors import FileError
from spnrefine.files import temporary
from spnrefine.stores import store
from spnrefine.stores.urls import Url

EVERY = 60.0
"""Seconds after which it is put again."""
DEAD = timedelta(minutes=10)
"""Without a sign for so long, a run is taken for dead."""
TRIES = 3
"""Others may come first, and go again."""


_looked: dict["Claimed", float] = {}


@dataclass(frozen=True)
class Claimed:
    """A lease as another process sees it: it reads the ``claim``, which holds what is the run's ``own``."""

    output: Url
    claim: Url
    own: bytes

    def check(self) -> None:
        """Refuse to write, as of `Lease`; asked for more often than once a minute, it does not look."""
        now = time.monotonic()
        if now - _looked.get(self, -EVERY) < EVERY:
            return
        if store.read(self.claim) != self.own:
            raise _taken_over(self.output)
        _looked[self] = now


class Lease:
    """Keeps other runs away from a folder, until it is released.

    Parameters
    ----------
    output : what errors name.
    claim : the object.

    Raises
    ------
    FileError
        Another run has it, or the store does not take it.
    """

    def __init__(self, output: Url, claim: Url):
        self._output, self._claim = output, claim
        self._own = temporary.new_name().encode()
        self._end = threading.Event()
        self._lost = False
        self._take()
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Refuse to write once another run has taken the folder for itself.

        Raises
        ------
        FileError
            It has, as this one gave no sign for too long.
        """
        if self._lost:
            raise _taken_over(self._output)

    @property
    def claimed(self) -> Claimed:
        """What another process of the run is sent."""
        return Claimed(self._output, self._claim, self._own)

    def release(self) -> None:
        """Let others in."""
        self._end.set()
        self._thread.join()
        with suppress(FileError):  # whoever comes later finds it dead
            if not self._lost and store.read(self._claim) == self._own:
                store.remove(self._claim)

    def _take(self) -> None:
        for _ in range(TRIES):
            if store.claim(self._claim, self._own):
                return
            found = store.read(self._claim)
            if found is not None:
                self._check_dead(found)
                store.remove(self._claim)
        raise FileError(f"{self._claim} can be neither taken nor deleted: check that your credentials allow both.")

    def _check_dead(self, found: bytes) -> None:
        last = store.changed(self._claim)
        if last is None:
            return  # it has gone meanwhile
        stamp = last.timestamp()
        if temporary.is_of_dead(found.decode("ascii", "replace"), stamp) or self._now(last) - last > DEAD:
            return
        ago = max(0, round((self._now(last) - last).total_seconds()))
        raise FileError(
            f"{self._output} is being written by another run, which gave a sign {ago} seconds ago: wait for its end, "
            f"or, if it was killed, until {DEAD.seconds // 60} minutes have gone by."
        )

    def _now(self, like: datetime) -> datetime:
        """Tell the time by the store's clock, which is not this machine's."""
        probe = Url(self._claim.scheme, f"{self._claim.path}-clock")
        store.put(probe, b"now", replace=True)
        now = store.changed(probe) or datetime.fromtimestamp(time.time(), like.tzinfo)
        store.remove(probe)
        return now

    def _renew(self) -> None:
        while not self._end.wait(EVERY):
            try:
                if store.read(self._claim) != self._own:
                    self._lost = True
                    return
                store.put(self._claim, self._own, replace=True)
            except FileError:  # the next time; or others find it dead
                continue


def _taken_over(output: Url) -> FileError:
    return FileError(f"{output} was taken over by another run: wait for its end, and give --resume.")
