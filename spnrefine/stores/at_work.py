"""An item of a store at work, in whatever process: fetched, refined as on a disc, and put back whole."""

from dataclasses import dataclass, replace
from pathlib import Path

from spnrefine.batch import place
from spnrefine.batch.digests import digest, digest_file
from spnrefine.batch.outputs import Outputs, Terms
from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.pairs import Pair
from spnrefine.batch.portion import Work
from spnrefine.batch.task import Tools
from spnrefine.errors import FileError
from spnrefine.job.record import Record
from spnrefine.stores import store
from spnrefine.stores.mirror import Desk, Mirror
from spnrefine.stores.target import Target


@dataclass(frozen=True)
class Order:
    """What is to be done with an item, in words that mean the same in every process.

    Attributes
    ----------
    pair : with paths of the mirror's tree.
    files : paths, in the tree, of what it is made from, and of what goes beside its mask.
    written : paths, in the tree, of objects at the places of its outputs and of what goes beside them.
    target : where its refined mask goes; None for a folder of this machine.
    """

    pair: Pair
    files: tuple[Path, ...]
    written: tuple[Path, ...]
    target: Target | None


class AtWork:
    """The files of an item on a desk, as its `portion` takes them; to be closed.

    Parameters
    ----------
    tools : what it is refined with.
    outputs : those on a folder of this machine, or on which terms what goes to a store is written.

    Raises
    ------
    FileError
        What it is made from cannot be fetched, or another run has come to where it goes.
    """

    def __init__(self, order: Order, mirror: Mirror, tools: Tools, outputs: Outputs | Terms):
        self._order, self._mirror = order, mirror
        self._terms = outputs.terms if isinstance(outputs, Outputs) else outputs
        self._own: Outputs | None = None
        self._before: dict[Path, str | None] = {}
        self._ledger = b""
        self._desk = mirror.desk()
        try:
            self._lay_out(tools, outputs)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Delete what was fetched."""
        if self._own is not None:
            self._own.close()
        self._desk.close()

    def put(self, record: Record) -> None:
        """Put what the portion wrote: what belongs to the mask, then the ledger's word of it, and then the mask.

        So whenever the run is killed, the ledger knows each mask there, and a mask that it knows has all beside it.
        """
        target = self._order.target
        if target is None or self._own is None:
            return
        self._own.ledger.close()
        folder = self._desk.path(self._order.pair.folder)
        written = [path for path, now in _digests(folder).items() if self._before.get(path) != now]
        mask = [path for path in written if str(path) == record.output]
        for path in (path for path in written if path not in mask):
            self._put_file(path, target)
        lines = self._own.ledger.path
        data = lines.read_bytes() if lines.exists() else b""
        if data != self._ledger:
            target.lease.check()
            store.put(target.ledger(self._order.pair), data, replace=True)
        for path in mask:
            self._put_file(path, target)

    def _lay_out(self, tools: Tools, outputs: Outputs | Terms) -> None:
        pair, target = self._order.pair, self._order.target
        self._desk.bring_all(self._order.files)
        there = on_desk(pair, self._desk)
        if target is not None:
            self._ledger = self._lay_outputs(target)
            outputs = self._own = self._terms.open(self._desk.path(target.path), self._mirror.told)
            self._before = _digests(there.folder)
        assert isinstance(outputs, Outputs)
        self.portion = PairPortion(there, Work.of(tools, outputs))

    def _lay_outputs(self, target: Target) -> bytes:
        """Lay out what is at the places of the outputs, and return the item's lines of the ledger."""
        self._desk.path(self._order.pair.folder).mkdir(parents=True, exist_ok=True)
        resume, written = self._terms.resume, self._order.written
        for path in written:
            self._desk.bring(path, whole=resume)
        lines = store.read(target.ledger(self._order.pair)) or b"" if resume or written else b""
        if lines:
            place.beside(self._desk.path(target.path)).write_bytes(lines)
        return lines

    def _put_file(self, path: Path, target: Target) -> None:
        url = self._mirror.url(path)
        assert url is not None
        target.lease.check()
        overwrite, was_there = self._terms.overwrite, path in self._before
        if was_there and not overwrite and digest(store.read(url) or b"") != self._before[path]:
            raise FileError(f"{url} was changed meanwhile: it stays as it is, unless --overwrite is given.")
        store.put(url, path.read_bytes(), replace=was_there or overwrite)


def on_desk(pair: Pair, desk: Desk) -> Pair:
    """Return a pair whose files lie on a desk."""
    mask = pair.mask and desk.path(pair.mask)
    return replace(pair, photograph=desk.path(pair.photograph), mask=mask, folder=desk.path(pair.folder))


def _digests(folder: Path) -> dict[Path, str | None]:
    """Digest the files in a folder."""
    return {path: digest_file(path) for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")}
