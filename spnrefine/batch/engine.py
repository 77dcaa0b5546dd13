"""Where portions are worked on: on threads of this process, or on whatever else gives their records in order."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from spnrefine.batch.portion import Portion
from spnrefine.batch.room import Room
from spnrefine.batch.stop import Stop
from spnrefine.batch.task import Tools
from spnrefine.batch.threads import in_order
from spnrefine.job.record import Record


class Engine(Protocol):
    """Works on portions, several at a time."""

    def equip(self, tools: Tools) -> None:
        """Give workers in other processes what they need, before the first of `records`."""

    def records(self, portions: Iterable[Portion], stop: Stop | None = None) -> Generator[list[Record]]:
        """Yield the records of each portion, in the order of ``portions``.

        Once ``stop`` is asked for, or the generator is closed, what has begun is finished, and nothing more begun.
        """

    def close(self) -> None:
        """Let go what it holds; nothing where that was done before."""


@dataclass(frozen=True)
class Threads:
    """Threads of this process, ``jobs`` of them, each of which runs one portion after another.

    Those at work share ``free`` bytes of memory; None for any number of them.
    """

    jobs: int = 1
    free: int | None = None

    def equip(self, tools: Tools) -> None:
        """Threads have what this process has."""

    def records(self, portions: Iterable[Portion], stop: Stop | None = None) -> Generator[list[Record]]:
        """Yield the records of each portion, as of `Engine`."""
        room = Room(self.free)
        return in_order((partial(_run, portion, room) for portion in portions), self.jobs, stop)

    def close(self) -> None:
        """Threads have ended with their work."""


def _run(portion: Portion, room: Room) -> list[Record]:
    with room.take(portion.memory()):
        return portion.run()
