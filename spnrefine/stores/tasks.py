"""Items of a store whose refinement another process does: it fetches them itself, and puts what goes to a store."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from spnrefine.batch.outputs import Terms
from spnrefine.batch.pair_task import PairTask, RefinedPair, record_of
from spnrefine.batch.portion import failed
from spnrefine.batch.task import Tools
from spnrefine.job.record import Record
from spnrefine.stores.at_work import AtWork, Order, on_desk
from spnrefine.stores.mirror import Mirror


@dataclass(frozen=True)
class StoreTask:
    """Refines an item and puts what came out, or skips it.

    Attributes
    ----------
    order : with a target.
    terms : on which it is written.
    tree : of the mirror by whose paths the order speaks.
    """

    order: Order
    terms: Terms
    tree: Path

    def __call__(self, tools: Tools) -> list[Record]:
        """Return the records, with URLs."""
        with closing(Mirror(self.tree)) as mirror:
            return [mirror.told(record) for record in self._run(mirror, tools)]

    def _run(self, mirror: Mirror, tools: Tools) -> list[Record]:
        try:
            with closing(AtWork(self.order, mirror, tools, self.terms)) as item:
                records = item.portion.run()
                item.put(records[0])
                return records
        except Exception as error:  # whatever is wrong with one item, the others go on
            return [failed(record_of(self.order.pair), error)]


@dataclass(frozen=True)
class FetchedTask:
    """Fetches an item and refines it; what comes out goes to a folder that another process writes to.

    Attributes
    ----------
    task : with paths of the tree.
    files : paths, in the tree, of what is fetched.
    tree : as of `StoreTask`.
    """

    task: PairTask
    files: tuple[Path, ...]
    tree: Path

    def __call__(self, tools: Tools) -> RefinedPair | Record:
        """Return what is to be written, with its record, or a record of what is wrong."""
        with closing(Mirror(self.tree)) as mirror, closing(mirror.desk()) as desk:
            try:
                desk.bring_all(self.files)
                done = replace(self.task, pair=on_desk(self.task.pair, desk))(tools)
            except Exception as error:  # as above
                done = failed(self.task.record, error)
            if isinstance(done, Record):
                return mirror.told(done)
            return replace(done, record=mirror.told(done.record))
