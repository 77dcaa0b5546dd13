"""A photograph and its mask in a store: fetched, refined as on a disc, and put back whole."""

from dataclasses import dataclass, replace
from pathlib import Path

from spnrefine.batch import place
from spnrefine.batch.digests import digest, digest_file
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.pair_task import suffixes
from spnrefine.batch.pairs import Pair
from spnrefine.batch.portion import Portion, Work
from spnrefine.errors import FileError
from spnrefine.files import sidecars
from spnrefine.files.labelmaps import find_labelmap
from spnrefine.job.record import Record
from spnrefine.stores import store
from spnrefine.stores.lease import Lease
from spnrefine.stores.mirror import Desk, Mirror
from spnrefine.stores.urls import Url

LEDGER = ".spnrefine"
"""Folder, in that of the outputs, of an object for each item: the lines that a ledger on a disc would hold of it."""


@dataclass(frozen=True)
class Target:
    """Where refined masks go in a store: its folder, the path that stands for it, and what keeps others away."""

    url: Url
    path: Path
    lease: Lease


@dataclass(frozen=True)
class Open:
    """An item at work: its portion, whose files lie on the desk, and what was there before."""

    desk: Desk
    portion: PairPortion
    outputs: Outputs
    before: dict[Path, str | None]
    ledger: bytes


class StorePortion(Portion):
    """A pair whose photograph, mask or output lies in a store.

    Parameters
    ----------
    pair : with paths of the ``mirror``'s tree.
    work : what it shares with other portions.
    target : where its refined mask goes; None for a folder of this machine.
    """

    def __init__(self, pair: Pair, work: Work, mirror: Mirror, target: Target | None):
        self._pair, self._work, self._mirror, self._target = pair, work, mirror, target
        self._open: Open | None = None

    def limit(self, most: int) -> int | None:
        if not self._work.outputs.resume or self._is_idle:
            return PairPortion(self._pair, self._work).limit(most)
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
            records = PairPortion(self._pair, self._work).run()
        else:
            try:
                item = self._take_up()
                records = item.portion.run()
                self._put(item, records[0])
            except Exception as error:  # whatever is wrong with one item, the others go on
                records = PairPortion(self._pair, self._work).give_up(error)
            finally:
                self._put_down()
        return [self._mirror.told(record) for record in records]

    @property
    def _is_idle(self) -> bool:
        return bool(self._pair.problem or self._pair.without)

    def _take_up(self) -> Open:
        if self._open is None:
            desk = self._mirror.desk()
            try:
                self._open = self._lay_out(desk)
            except BaseException:
                desk.close()
                raise
        return self._open

    def _put_down(self) -> None:
        if self._open is not None:
            if self._target is not None:
                self._open.outputs.close()
            self._open.desk.close()
            self._open = None

    def _lay_out(self, desk: Desk) -> Open:
        pair = self._pair
        desk.bring_all(pair.inputs)
        if pair.mask is not None:
            desk.bring_all([*filter(None, [find_labelmap(pair.mask)]), *sidecars.beside(pair.mask)])
        there = replace(
            pair,
            photograph=desk.path(pair.photograph),
            mask=pair.mask and desk.path(pair.mask),
            folder=desk.path(pair.folder),
        )
        if self._target is None:
            return Open(desk, PairPortion(there, self._work), self._work.outputs, {}, b"")
        ledger = self._lay_outputs(desk, self._target)
        outputs = self._work.outputs.elsewhere(desk.path(self._target.path), self._mirror.told)
        portion = PairPortion(there, replace(self._work, outputs=outputs))
        return Open(desk, portion, outputs, _digests(there.folder), ledger)

    def _lay_outputs(self, desk: Desk, target: Target) -> bytes:
        """Lay out what is at the places of the outputs, and return the item's lines of the ledger."""
        self._check_inputs()
        folder = desk.path(self._pair.folder)
        folder.mkdir(parents=True, exist_ok=True)
        resume = self._work.outputs.resume
        written = self._written()
        for path in written:
            desk.bring(path, whole=resume)
        lines = store.read(self._ledger(target)) or b"" if resume or written else b""
        if lines:
            place.beside(desk.path(target.path)).write_bytes(lines)
        return lines

    def _written(self) -> list[Path]:
        """List, in the tree, the objects at the places of its outputs and of what goes beside them."""
        mask, places = self._pair.mask, self._places
        beside = [path for each in places for path in sidecars.targets(mask, each)] if mask else []
        return [path for path in dict.fromkeys([*places, *beside]) if path.is_file()]

    @property
    def _places(self) -> list[Path]:
        return [self._pair.folder / (self._pair.stem + suffix) for suffix in suffixes(self._pair)]

    def _check_inputs(self) -> None:
        for path in self._places:
            source = self._work.outputs.inputs.find(path)
            if source is not None:
                raise FileError(f"{path} is the input {source} itself, which is never overwritten: choose another -o.")

    def _ledger(self, target: Target) -> Url:
        inside = (self._pair.folder / self._pair.stem).relative_to(target.path)
        return target.url / LEDGER / f"{inside.as_posix()}.jsonl"

    def _put(self, item: Open, record: Record) -> None:
        """Put what the portion wrote: what belongs to the mask, then the ledger's word of it, and then the mask.

        So whenever the run is killed, the ledger knows each mask there, and a mask that it knows has all beside it.
        """
        if self._target is None:
            return
        item.outputs.ledger.close()
        folder = item.desk.path(self._pair.folder)
        written = [path for path, now in _digests(folder).items() if item.before.get(path) != now]
        mask = [path for path in written if str(path) == record.output]
        for path in (path for path in written if path not in mask):
            self._put_file(item, path, self._target)
        lines = item.outputs.ledger.path
        data = lines.read_bytes() if lines.exists() else b""
        if data != item.ledger:
            self._target.lease.check()
            store.put(self._ledger(self._target), data, replace=True)
        for path in mask:
            self._put_file(item, path, self._target)

    def _put_file(self, item: Open, path: Path, target: Target) -> None:
        url = self._mirror.url(path)
        assert url is not None
        target.lease.check()
        overwrite, was_there = self._work.settings.overwrite, path in item.before
        if was_there and not overwrite and digest(store.read(url) or b"") != item.before[path]:
            raise FileError(f"{url} was changed meanwhile: it stays as it is, unless --overwrite is given.")
        store.put(url, path.read_bytes(), replace=was_there or overwrite)


def _digests(folder: Path) -> dict[Path, str | None]:
    """Digest the files in a folder."""
    return {path: digest_file(path) for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")}


def open_target(mirror: Mirror, url: Url) -> Target:
    """Take a folder of a store for a run alone, and lay out what is there; ``lease`` is to be released.

    Raises
    ------
    FileError
        Another run goes on there, or the store cannot be reached.
    """
    lease = Lease(url, url / LEDGER / "run")
    try:
        return Target(url, mirror.lay(url), lease)
    except BaseException:
        lease.release()
        raise
