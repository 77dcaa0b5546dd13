"""Refine the mask of one pair of files into a file of its own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from spnrefine.batch.kept_ids import KeptIds, StoppedError
from spnrefine.batch.pair_task import PairTask, RefinedPair, pair_keys, record_of, refine_pair, suffixes
from spnrefine.batch.pairs import Pair
from spnrefine.batch.place import ids_path
from spnrefine.batch.portion import CHOSEN, Sendable, Work, failed
from spnrefine.batch.room import BYTES_A_PIXEL
from spnrefine.errors import SpnRefineError
from spnrefine.files import sidecars
from spnrefine.files.opening import count_pixels
from spnrefine.files.regular import is_file
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Refined
from spnrefine.model.protocols import Image
from spnrefine.refiner.keeping import kept_by

BY_HAND = "by hand"
LEFT = "it was put there, or edited, by hand, and is left as it is"

ShowPair = Callable[[Pair, Record, Image, Refined], None]
"""Shows what became of a pair, its photograph (H, W, 3) and masks, for instance by drawing them."""


class PairPortion(Sendable):
    """Read a photograph and its mask, refine the mask, and write it.

    Parameters
    ----------
    pair : fails with its ``problem``, where it has one.
    work : what it shares with other portions.
    show : called for a pair that is refined, and for one that is skipped where its files can be read again. An error
        that it raises is the pair's.
    """

    def __init__(self, pair: Pair, work: Work, show: ShowPair | None = None):
        super().__init__(work)
        self._pair, self._show = pair, show

    def limit(self, most: int) -> int | None:
        """Count the pair if it is not done; past the limit the run ends, as each pair has a file of its own."""
        if self._done is not None or self._pair.without:
            return 0
        return 1 if most > 0 else None

    def memory(self) -> int:
        if self._pair.problem or self._done is not None:
            return 0
        return BYTES_A_PIXEL * count_pixels(self._pair.photograph)

    def run(self) -> list[Record]:
        """Refine the pair, or skip it."""
        if self._pair.without:
            return [replace(self._record, status="no mask", notes=[self._pair.without])]
        try:
            return [self._refine() if self._done is None else self._skip(self._done)]
        except StoppedError:
            return []
        except Exception as error:  # whatever is wrong with one file, the others go on
            return self.give_up(error)

    def task(self) -> PairTask | None:
        """Return what another process is to do with the pair, where it is to be refined."""
        pair = self._pair
        if pair.problem or pair.without or self._done is not None:
            return None
        refused = {}
        for suffix in suffixes(pair):
            try:
                self._work.outputs.check(pair.folder / (pair.stem + suffix))
            except SpnRefineError as error:
                refused[suffix] = str(error)
        return PairTask(pair, self._record, refused, self._show is not None)

    def finish(self, result: RefinedPair | Record) -> list[Record]:
        """Write the mask that another process refined."""
        if isinstance(result, Record):
            return [result]
        try:
            return [self._write(result)]
        except Exception as error:  # as above
            return self.give_up(error)

    def give_up(self, error: Exception) -> list[Record]:
        """Return the record of a pair that failed."""
        return [failed(self._record, error)]

    @property
    def inputs(self) -> list[Path]:
        """The photograph and its mask."""
        return self._pair.inputs

    @property
    def _record(self) -> Record:
        return record_of(self._pair)

    def _refine(self) -> Record:
        if self._pair.problem:
            raise SpnRefineError(self._pair.problem)
        pair, work, outputs = self._pair, self._work, self._work.outputs
        path = ids_path(outputs.ledger.path, pair.folder / pair.stem)
        with KeptIds(path, lambda: pair_keys(pair, outputs.ledger.run)[0], work.stop, resume=outputs.resume) as kept:
            with kept_by(kept):
                done = refine_pair(pair, work.tools, self._record, outputs.check)
            record = self._write(done)
            kept.delete()
        return record

    def _write(self, done: RefinedPair) -> Record:
        outputs, record = self._work.outputs, done.record
        outputs.begin_mask(done.output, done.key, done.data)
        record.output = str(done.output)
        if self._pair.mask is not None and not done.resized:
            sidecars.copy(self._pair.mask, done.output, overwrite=self._work.settings.overwrite)
        if self._show is not None and done.image is not None and done.refined is not None:
            self._show(self._pair, record, done.image, done.refined)
        choice = self._pair.choice
        key = "" if choice == "keep" else done.key
        outputs.finish_mask(done.output, key, done.data, record, inputs=done.inputs, chosen=choice is not None)
        return record

    def _skip(self, record: Record) -> Record:
        if self._show is None or self._pair.mask is None or record.output is None:
            return record
        try:
            loaded, refined = job.load_again(
                self._pair.photograph, self._pair.mask, Path(record.output), self._work.settings
            )
        except SpnRefineError:
            return record  # nothing is wrong with the refined mask: there is only no picture of it
        try:
            self._show(self._pair, record, loaded.image, refined)
        except SpnRefineError as error:
            return failed(record, error)
        return record

    @cached_property
    def _done(self) -> Record | None:
        """The record of what an earlier run made of the pair, whatever its extension was."""
        pair, outputs = self._pair, self._work.outputs
        if pair.problem or pair.without or pair.choice or not outputs.resume:
            return None
        try:
            keys = pair_keys(pair, outputs.ledger.run)
        except Exception:  # it will fail, and say why, in its turn
            return None
        places = [pair.folder / (pair.stem + suffix) for suffix in suffixes(pair)]
        for output in places:
            record = self._done_there(output, *keys)
            if record is not None:
                own = self._record
                return replace(record, image=own.image, mask=own.mask, output=str(output))
        return self._by_hand(places)

    def _done_there(self, output: Path, key: str, inputs: str) -> Record | None:
        outputs = self._work.outputs
        chosen = outputs.chosen(output, inputs)
        return (
            outputs.finished(output, key, inputs) if chosen is None else replace(chosen, notes=[*chosen.notes, CHOSEN])
        )

    def _by_hand(self, places: Sequence[Path]) -> Record | None:
        """Take a file that a person put among the outputs for her mask, where no run has written another."""
        there = [path for path in places if is_file(path)]
        own = [path for path in there if self._work.outputs.is_by_hand(path)]
        if not own or len(own) < len(there):
            return None
        return replace(self._record, output=str(own[0]), status=BY_HAND, notes=[LEFT])
