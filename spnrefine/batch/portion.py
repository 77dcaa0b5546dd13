"""What a batch works through: portions, each of one photograph and its masks, and what all portions share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

from spnrefine.batch.outputs import Outputs
from spnrefine.batch.stop import Stop
from spnrefine.errors import in_words
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, MakesMasks, MakesMattes, Refined, Settings
from spnrefine.model.protocols import RefinesMasks


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
    """

    refiner: RefinesMasks | None
    settings: Settings
    outputs: Outputs
    maker: MakesMasks | None = None
    stop: Stop = field(default_factory=Stop)
    matting: MakesMattes | None = None

    def refine(self, loaded: Loaded, record: Record) -> Refined:
        """Refine a mask, and say in ``record`` what became of it and how long it took."""
        return job.refine_timed(loaded, self.refiner, self.settings, record, self.matting)


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


def failed(record: Record, error: Exception) -> Record:
    """Return a record that says what went wrong; a fault of the program's own is named by its type."""
    return replace(record, status="failed", error=in_words(error) or f"{type(error).__name__}: {error}")
