"""Work through many pairs on several threads."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from spnrefine.batch.ledger import Ledger
from spnrefine.batch.pairing import Pair
from spnrefine.batch.threads import in_order
from spnrefine.errors import SpnRefineError
from spnrefine.files import atomic, labelmaps, masks
from spnrefine.job import job
from spnrefine.job.job import Loaded, MakesMasks, Settings
from spnrefine.job.record import Record
from spnrefine.model.protocols import RefinesMasks

Finish = Callable[[Pair, Loaded, job.Refined, Record], None]


@dataclass(frozen=True)
class Work:
    """How a batch is worked through.

    ``refiner`` is called by ``jobs`` threads at once, each of which reads, refines and writes one pair after another.
    With ``resume``, what ``ledger`` says is finished is skipped. At most ``most`` pairs are worked on. ``also`` is
    called for each refined pair, for instance to draw it, and with ``also_skipped`` for each that is skipped.
    ``maker`` makes the masks of photographs without.
    """

    refiner: RefinesMasks | None
    settings: Settings
    ledger: Ledger
    jobs: int = 1
    resume: bool = False
    most: int | None = None
    maker: MakesMasks | None = None
    also: Finish | None = None
    also_skipped: bool = False


def run(pairs: Iterable[Pair], work: Work) -> Generator[Record]:
    """Refine every pair and yield its record, in the order of ``pairs``; one that fails does not stop the rest.

    A pair with a ``problem`` fails with it. Closing the generator lets what has begun be finished.
    """
    yield from in_order(_calls(pairs, work), work.jobs)


def _calls(pairs: Iterable[Pair], work: Work) -> Iterator[Callable[[], Record]]:
    started = 0
    for pair in pairs:
        skipped = _finished(pair, work) if work.resume else None
        if skipped is not None:
            yield partial(_skip_one, pair, skipped, work)
            continue
        if work.most is not None and started >= work.most:
            return
        started += 1
        yield partial(_run_one, pair, work)


def _finished(pair: Pair, work: Work) -> Record | None:
    """Return the record of a pair that an earlier run has done, whatever its extension was."""
    if pair.problem:
        return None
    try:
        key = _key(pair, work)
    except SpnRefineError:
        return None  # it will fail, and say why, in its turn
    for suffix in {pair.mask.suffix if pair.mask else ".png", *masks.EXTENSIONS.values()}:
        output = pair.folder / (pair.stem + suffix)
        record = work.ledger.finished(output, key)
        if record:
            return replace(
                record, image=str(pair.photograph), mask=str(pair.mask) if pair.mask else None, output=str(output)
            )
    return None


def _skip_one(pair: Pair, record: Record, work: Work) -> Record:
    if work.also is None or not work.also_skipped or pair.mask is None or record.output is None:
        return record
    try:
        loaded, refined = job.load_again(pair.photograph, pair.mask, Path(record.output), work.settings)
    except SpnRefineError:
        return record  # nothing is wrong with the refined mask: there is only no picture of it
    try:
        work.also(pair, loaded, refined, record)
    except SpnRefineError as error:
        return replace(record, status="failed", error=str(error))
    return record


def _run_one(pair: Pair, work: Work) -> Record:
    record = Record(str(pair.photograph), str(pair.mask) if pair.mask else None)
    settings = work.settings
    try:
        if pair.problem:
            raise SpnRefineError(pair.problem)
        loaded = job.load(pair.photograph, pair.mask, settings, work.maker)
        output = output_path(pair, loaded)
        overwrite = settings.overwrite or (work.resume and work.ledger.may_replace(output))
        atomic.check_output(output, overwrite=overwrite, inputs=pair.inputs)
        key = _key(pair, work)
        start = time.perf_counter()
        refined = job.refine(loaded, work.refiner, settings, record)
        record.seconds = round(time.perf_counter() - start, 4)
        data = job.encode(loaded, refined, settings)
        work.ledger.begin(output, key)
        atomic.write_bytes(output, data, overwrite=overwrite, inputs=pair.inputs)
        record.output = str(output)
        if work.also:
            work.also(pair, loaded, refined, record)
        work.ledger.finish(output, key, data, record)
    except Exception as error:  # whatever is wrong with one file, the others go on
        text = str(error) if isinstance(error, SpnRefineError) else f"{type(error).__name__}: {error}"
        return replace(record, status="failed", error=text)
    return record


def _key(pair: Pair, work: Work) -> str:
    """Digest all files that a result depends on: the meaning of a mask's colours may stand in one of its own."""
    labelmap = labelmaps.find_labelmap(pair.mask) if pair.mask else None
    return work.ledger.key(*pair.inputs, *([labelmap] if labelmap else []))


def output_path(pair: Pair, loaded: Loaded) -> Path:
    """Where a pair's refined mask goes: the photograph's stem with the mask's own extension."""
    return pair.folder / (pair.stem + masks.extension(loaded.mask))
