"""What a batch works through: portions, each of one photograph and its masks, and what all portions share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from spnrefine.batch.outputs import Outputs
from spnrefine.batch.stop import Stop
from spnrefine.batch.task import Task, Tools
from spnrefine.errors import SpnRefineError, in_words
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, MakesMasks, MakesMattes, Refined, Settings
from spnrefine.model.protocols import RefinesMasks

CHOSEN = "it was asked for by name before, and stays as it is"

MOST_TRIES = 3
"""Times that a portion may end the process that works on it, before it is given up."""


@dataclass(frozen=True)
class Work:
    """What the portions of a batch share; several threads use it at once.

    Attributes
    ----------
    refiner : None where ``maker`` refines all masks that it makes.
    settings : how masks are refined and written.
    outputs : what may be written, and what earlier runs have done.
    maker : makes the masks of photographs that have none.
    stop : says that no further mask is to be begun.
    matting : makes mattes, where they are asked for.
    judged : as of `Tools`.
    step : called when one of a photograph's masks is done whose records come with those of the others.
    """

    refiner: RefinesMasks | None
    settings: Settings
    outputs: Outputs
    maker: MakesMasks | None = None
    stop: Stop = field(default_factory=Stop)
    matting: MakesMattes | None = None
    judged: bool = True
    step: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, tools: Tools, outputs: Outputs) -> "Work":
        """Return what a portion alone takes, in whatever process."""
        return cls(tools.refiner, tools.settings, outputs, tools.maker, matting=tools.matting, judged=tools.judged)

    @property
    def tools(self) -> Tools:
        """What of this a worker in another process needs."""
        return Tools(self.refiner, self.settings, self.maker, self.outputs.ledger.run, self.matting, self.judged)

    def refine(self, loaded: Loaded, record: Record) -> Refined:
        """Refine a mask, and say in ``record`` what became of it and how long it took."""
        return self.tools.refine(loaded, record)


class Portion(ABC):
    """The masks of one photograph, which one thread works on, one after another."""

    @abstractmethod
    def limit(self, most: int) -> int | None:
        """Leave out all but the first ``most`` masks that no earlier run has done; return how many of these stay.

        None says that none stays, and that nothing after this portion need be looked at.
        """

    def memory(self) -> int:
        """Estimate, from headers alone, how many bytes :meth:`run` takes; 0 where these cannot be read."""
        return 0

    @abstractmethod
    def run(self) -> list[Record]:
        """Work on the masks and return their records; whatever is wrong with one, the others go on.

        Masks that are not begun when the run is asked to stop have none.
        """


class Sendable(Portion):
    """A portion whose refinement another process may do: it is sent the `task`, and its result is given to `finish`.

    Parameters
    ----------
    work : what it shares with other portions.
    """

    def __init__(self, work: Work):
        self._work = work
        self._tries = 0

    @abstractmethod
    def task(self) -> Task | None:
        """Return what another process is to do, or None where there is nothing to do but `run`."""

    @abstractmethod
    def finish(self, result: Any) -> list[Record]:
        """Write what another process made, the ``result`` of the task, and return the records as `run` does."""

    @abstractmethod
    def give_up(self, error: Exception) -> list[Record]:
        """Return the records of masks that could not be worked on, for one reason."""

    @property
    @abstractmethod
    def inputs(self) -> Sequence[Path]:
        """The files that it reads, as far as they are its own."""

    def lost(self, why: str) -> list[Record] | None:
        """Count a try that ended with its process; None says that there may be another, else it is given up.

        The ledger knows of each, so that those of a run that was cut off count too. One that was given up begins anew.
        """
        if not self._tries and self._work.outputs.resume:
            self._tries = self._earlier_tries()
        self._tries += 1
        self._keep_try(given_up=self._tries >= MOST_TRIES)
        if self._tries < MOST_TRIES:
            return None
        what = f"The process that worked on it ended {self._tries} times ({why})"
        return self.give_up(
            SpnRefineError(
                f"{what}: check the picture, or give each worker more memory by fewer of them (--jobs, --worker-cpus)."
            )
        )

    def _earlier_tries(self) -> int:
        """Return how often processes of earlier runs ended in the middle of it."""
        return self._work.outputs.ledger.tries(self._try_key())

    def _keep_try(self, *, given_up: bool) -> None:
        """Have the ledger know that one more did."""
        self._work.outputs.ledger.tried(self._try_key(), given_up=given_up)

    def _try_key(self) -> str:
        ledger = self._work.outputs.ledger
        try:
            return ledger.key(*self.inputs)
        except SpnRefineError:  # its files cannot even be read
            return repr(self.inputs)


def failed(record: Record, error: Exception) -> Record:
    """Return a record that says what went wrong; a fault of the program's own is named by its type."""
    return replace(record, status="failed", error=in_words(error) or f"{type(error).__name__}: {error}")
