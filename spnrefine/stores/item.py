"""A photograph and its mask in a store: fetched, refined as on a disc, and put back whole."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from spnrefine.batch import place
from spnrefine.batch.digests import digest
from spnrefine.batch.ledger import Ledger
from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.pair_task import record_of, suffixes
from spnrefine.batch.pairs import Pair
from spnrefine.batch.portion import Sendable, Work, failed
from spnrefine.batch.task import Task
from spnrefine.errors import FileError
from spnrefine.files import sidecars
from spnrefine.files.labelmaps import find_labelmap
from spnrefine.job.record import Record
from spnrefine.stores import store
from spnrefine.stores.at_work import AtWork, Order
from spnrefine.stores.mirror import Mirror
from spnrefine.stores.target import Target
from spnrefine.stores.tasks import FetchedTask, StoreTask


class StorePortion(Sendable):
    """A pair whose photograph, mask or output lies in a store.

    Another process that works on it fetches its files itself, and puts what goes to a store; what goes to a folder is
    written here.

    Parameters
    ----------
    pair : with paths of the ``mirror``'s tree.
    work : what it shares with other portions.
    target : where its refined mask goes; None for a folder of this machine.
    """

    def __init__(self, pair: Pair, work: Work, mirror: Mirror, target: Target | None):
        super().__init__(work)
        self._pair, self._mirror, self._target = pair, mirror, target
        self._open: AtWork | None = None

    def limit(self, most: int) -> int | None:
        if not self._work.outputs.resume or self._is_idle:
            return self._there.limit(most)
        try:
            return self._take_up().portion.limit(most)
        except Exception:  # it will fail, and say why, in its turn
            return 1 if most > 0 else None
        finally:
            self._put_down()

    def memory(self) -> int:
        """Fetch the item; estimate what it takes, as `PairPortion` does."""
        if self._is_idle:
            return 0
        try:
            return self._take_up().portion.memory()
        except Exception:  # as above
            return 0

    def run(self) -> list[Record]:
        """Refine the pair and put its files, or skip it."""
        if self._is_idle:
            return self._told(self._there.run())
        try:
            item = self._take_up()
            records = item.portion.run()
            item.put(records[0])
        except Exception as error:  # whatever is wrong with one item, the others go on
            return self.give_up(error)
        finally:
            self._put_down()
        return self._told(records)

    def task(self) -> Task | None:
        """Return what another process is to do with the pair; where that is to skip it too, if it goes to a store."""
        if self._is_idle:
            return None
        order = self._order()
        if order.target is not None:
            order = replace(order, target=order.target.to_send())
            return StoreTask(order, self._work.outputs.terms, self._mirror.tree)
        if self._work.outputs.resume and self._take_up().portion.task() is None:
            return None  # it is done, and lies here for `run`
        self._put_down()
        task = self._there.task()
        return None if task is None else FetchedTask(task, order.files, self._mirror.tree)

    def finish(self, result: Any) -> list[Record]:
        """Return the records of what was put; write what goes to a folder."""
        if self._target is not None:
            return list(result)
        with closing(self._mirror.desk()) as desk:
            mask = self._pair.mask
            if mask is not None:
                desk.bring_all(sidecars.beside(mask))
                mask = desk.path(mask)
            return self._told(PairPortion(replace(self._pair, mask=mask), self._work).finish(result))

    def give_up(self, error: Exception) -> list[Record]:
        return self._told([failed(record_of(self._pair), error)])

    @property
    def inputs(self) -> Sequence[Path]:
        """The photograph and its mask, in the tree."""
        return self._pair.inputs

    @property
    def _is_idle(self) -> bool:
        return bool(self._pair.problem or self._pair.without)

    @property
    def _there(self) -> PairPortion:
        return PairPortion(self._pair, self._work)

    def _told(self, records: Sequence[Record]) -> list[Record]:
        return [self._mirror.told(record) for record in records]

    def _take_up(self) -> AtWork:
        if self._open is None:
            self._open = AtWork(self._order(), self._mirror, self._work.tools, self._work.outputs)
        return self._open

    def _put_down(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _order(self) -> Order:
        """Say what there is to do; errors as of `_check_inputs`."""
        mask, files = self._pair.mask, list(self._pair.inputs)
        if mask is not None:
            files += [*filter(None, [find_labelmap(mask)]), *sidecars.beside(mask)]
        if self._target is not None:
            self._check_inputs()
        return Order(self._pair, tuple(files), tuple(self._written()), self._target)

    def _written(self) -> list[Path]:
        """List, in the tree, the objects at the places of its outputs and of what goes beside them."""
        mask, places = self._pair.mask, self._places
        beside = [path for each in places for path in sidecars.targets(mask, each)] if mask else []
        return [path for path in dict.fromkeys([*places, *beside]) if path.is_file()]

    @property
    def _places(self) -> list[Path]:
        return [self._pair.folder / (self._pair.stem + suffix) for suffix in suffixes(self._pair)]

    def _check_inputs(self) -> None:
        """Refuse to write over a file that the run reads.

        Raises
        ------
        FileError
            Its refined mask would.
        """
        for path in self._places:
            source = self._work.outputs.inputs.find(path)
            if source is not None:
                raise FileError(f"{path} is the input {source} itself, which is never overwritten: choose another -o.")

    def _earlier_tries(self) -> int:
        with self._try_ledger() as ledger:
            return ledger.tries(self._try_key())

    def _keep_try(self, *, given_up: bool) -> None:
        with self._try_ledger() as ledger:
            ledger.tried(self._try_key(), given_up=given_up)

    def _try_key(self) -> str:
        """Name the item by its place, as its bytes are not here."""
        return digest(*(self._mirror.said(str(path)).encode("utf-8", "surrogatepass") for path in self.inputs))

    @contextmanager
    def _try_ledger(self) -> Iterator[Ledger]:
        """Open the ledger that knows of its tries: in a store its own, put again where a line was added."""
        outputs, target = self._work.outputs, self._target
        if target is None:
            yield outputs.ledger
            return
        url = target.ledger(self._pair)
        with closing(self._mirror.desk()) as desk:
            output, before = desk.path(target.path), store.read(url) or b""
            output.mkdir(parents=True)
            lines = place.beside(output)
            lines.write_bytes(before)
            with closing(Ledger(output, outputs.ledger.run, required=True)) as ledger:
                yield ledger
            after = lines.read_bytes() if lines.exists() else b""
        if after != before:
            target.lease.check()
            store.put(url, after, replace=True)
