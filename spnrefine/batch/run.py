"""Work through many pairs on several threads."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

from spnrefine.batch import job
from spnrefine.batch.job import Loaded, RefinesMasks, Settings
from spnrefine.batch.pairing import Pair
from spnrefine.batch.record import Record
from spnrefine.errors import SpnRefineError
from spnrefine.files import atomic, masks

Finish = Callable[[Pair, Loaded, job.Refined], None]

AHEAD = 4  # pairs handed out for each thread, so that none waits while a slow one holds up the order


def run(
    pairs: Iterable[Pair],
    refiner: RefinesMasks,
    settings: Settings,
    *,
    jobs: int,
    also: Finish | None = None,
) -> Iterator[Record]:
    """Refine every pair and yield its record, in the order of ``pairs``; one that fails does not stop the rest.

    Parameters
    ----------
    pairs : what to refine; one with a ``problem`` fails with it.
    refiner : called by ``jobs`` threads at once.
    jobs : threads; each reads, refines and writes one pair after another, so as many images are in memory at a time.
    also : called for each refined pair, for instance to draw it.
    """
    with ThreadPoolExecutor(jobs) as workers:
        waiting = iter(pairs)
        begun = deque(workers.submit(_run_one, pair, refiner, settings, also) for pair in islice(waiting, AHEAD * jobs))
        try:
            while begun:
                yield begun.popleft().result()
                begun.extend(workers.submit(_run_one, pair, refiner, settings, also) for pair in islice(waiting, 1))
        finally:
            workers.shutdown(cancel_futures=True)  # what has begun is still written: files are whole or not there


def _run_one(pair: Pair, refiner: RefinesMasks, settings: Settings, also: Finish | None) -> Record:
    record = Record(str(pair.photograph), str(pair.mask) if pair.mask else None)
    try:
        if pair.mask is None:
            raise SpnRefineError(pair.problem or "no mask.")
        loaded = job.load(pair.photograph, pair.mask, settings)
        output = output_path(pair, loaded)
        atomic.check_output(output, overwrite=settings.overwrite, inputs=pair.inputs)
        start = time.perf_counter()
        refined = job.refine(loaded, refiner, settings, record)
        record.seconds = round(time.perf_counter() - start, 4)
        data = job.encode(loaded, refined, settings)
        atomic.write_bytes(output, data, overwrite=settings.overwrite, inputs=pair.inputs)
        record.output = str(output)
        if also:
            also(pair, loaded, refined)
    except Exception as error:  # whatever is wrong with one file, the others go on
        text = str(error) if isinstance(error, SpnRefineError) else f"{type(error).__name__}: {error}"
        return replace(record, status="failed", error=text)
    return record


def output_path(pair: Pair, loaded: Loaded) -> Path:
    """Where a pair's refined mask goes: the photograph's stem with the mask's own extension."""
    return pair.folder / (pair.stem + masks.extension(loaded.mask))
