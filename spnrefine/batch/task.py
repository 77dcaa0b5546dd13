"""Work that can be sent to another process: what it is given there, and what the worker has loaded for all of it."""

from dataclasses import dataclass
from typing import Any, Protocol

from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, MakesMasks, MakesMattes, Refined, Settings
from spnrefine.model.protocols import RefinesMasks


@dataclass(frozen=True)
class Tools:
    """What a worker loads once, and then works with; it can be pickled where its parts can.

    Attributes
    ----------
    refiner : None where ``maker`` refines all masks that it makes.
    settings : how masks are refined and written.
    maker : makes the masks of photographs that have none.
    run : what else than the inputs results depend on, as of the ledger.
    matting : makes mattes, where they are asked for.
    judged : whether records say how good masks are expected to be.
    """

    refiner: RefinesMasks | None
    settings: Settings
    maker: MakesMasks | None = None
    run: str = ""
    matting: MakesMattes | None = None
    judged: bool = True

    def refine(self, loaded: Loaded, record: Record) -> Refined:
        """Refine a mask, and say in ``record`` what became of it and how long it took."""
        return job.refine_timed(loaded, self.refiner, self.settings, record, self.matting, judged=self.judged)


class Task(Protocol):
    """What is done with a portion in any process; it writes nothing."""

    def __call__(self, tools: Tools) -> Any:
        """Return what the portion's ``finish`` takes; whatever is wrong with a mask is said in that."""
