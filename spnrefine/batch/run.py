"""Work through many pairs on several threads."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from spnrefine.batch import job
from spnrefine.batch.job import Loaded, RefinesMasks, Settings
from spnrefine.batch.ledger import Ledger
from spnrefine.batch.pairing import Pair
from spnrefine.batch.record import Record
from spnrefine.errors import SpnRefineError
from spnrefine.files import atomic, masks

Finish = Callable[[Pair, Loaded, job.Refined, Record], None]

AHEAD = 4  # pairs handed out for each thread, so that none waits while a slow one holds up the order


@dataclass(frozen=True)
class Work:
    """How a batch is worked through.

    ``refiner`` is called by ``jobs`` threads at once, each of which reads, refines and writes one pair after another.
    With ``resume``, what ``ledger`` says is finished is skipped. At most ``most`` pairs are worked on. ``also`` is
    called for each refined pair, for instance to draw it.
    """

    refiner: RefinesMasks
    settings: Settings
    ledger: Ledger
    jobs: int = 1
    resume: bool = False
    most: int | None = None
    also: Finish | None = None


def run(pairs: Iterable[Pair], work: Work) -> Generator[Record]:
    """Refine every pair and yield its record, in the order of ``pairs``; one that fails does not stop the rest.

    A pair with a ``problem`` fails with it. Closing the generator lets what has begun be finished.
    """
    with ThreadPoolExecutor(work.jobs) as workers:
        begun: deque[Future[Record]] = deque()
        started = 0
        try:
            for pair in pairs:
                skipped = _finished(pair, work) if work.resume else None
                if skipped is None and work.most is not None and started >= work.most:
                    break
                started += skipped is None
                begun.append(_done(skipped) if skipped else workers.submit(_run_one, pair, work))
                while len(begun) > AHEAD * work.jobs:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            workers.shutdown(cancel_futures=True)  # what has begun is still written: files are whole or not there


def _finished(pair: Pair, work: Work) -> Record | None:
    """Return the record of a pair that an earlier run has done, whatever its extension was."""
    if pair.problem or pair.mask is None:
        return None
    try:
        key = work.ledger.key(*pair.inputs)
    except SpnRefineError:
        return None  # it will fail, and say why, in its turn
    for suffix in {pair.mask.suffix, *masks.EXTENSIONS.values()}:
        record = work.ledger.finished(pair.folder / (pair.stem + suffix), key)
        if record:
            return record
    return None


def _run_one(pair: Pair, work: Work) -> Record:
    record = Record(str(pair.photograph), str(pair.mask) if pair.mask else None)
    settings = work.settings
    try:
        if pair.mask is None:
            raise SpnRefineError(pair.problem or "no mask.")
        loaded = job.load(pair.photograph, pair.mask, settings)
        output = output_path(pair, loaded)
        overwrite = settings.overwrite or (work.resume and work.ledger.may_replace(output))
        atomic.check_output(output, overwrite=overwrite, inputs=pair.inputs)
        key = work.ledger.key(*pair.inputs)
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


def _done(record: Record) -> Future[Record]:
    future: Future[Record] = Future()
    future.set_result(record)
    return future


def output_path(pair: Pair, loaded: Loaded) -> Path:
    """Where a pair's refined mask goes: the photograph's stem with the mask's own extension."""
    return pair.folder / (pair.stem + masks.extension(loaded.mask))
