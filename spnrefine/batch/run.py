"""Work through many pairs: files are read and written by threads while the network runs."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from spnrefine.batch import job
from spnrefine.batch.job import Loaded, Record, RefinesMasks, Settings
from spnrefine.batch.pairing import Pair
from spnrefine.errors import SpnRefineError
from spnrefine.files import atomic, masks

Finish = Callable[[Pair, Loaded, job.Refined], None]


def run(
    pairs: Sequence[Pair],
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
    refiner : called in this thread, for one image at a time.
    jobs : threads that read and write files; at most twice as many images are in memory at a time.
    also : called in a writing thread for each refined pair, for instance to draw it.
    """
    window = 2 * jobs
    with ThreadPoolExecutor(jobs) as readers, ThreadPoolExecutor(jobs) as writers:
        waiting = iter(pairs)
        loading: deque[tuple[Pair, Future[Loaded]]] = deque()
        writing: deque[Future[Record]] = deque()

        def load_next() -> None:
            pair = next(waiting, None)
            if pair is not None:
                loading.append((pair, readers.submit(_load, pair, settings)))

        try:
            for _ in range(window):
                load_next()
            while loading:
                pair, future = loading.popleft()
                writing.append(_refine(pair, future, refiner, settings, writers, also))
                load_next()
                while writing and (len(writing) > window or writing[0].done()):
                    yield writing.popleft().result()
            while writing:
                yield writing.popleft().result()
        finally:
            readers.shutdown(cancel_futures=True)
            writers.shutdown()  # what has been refined is still written: files are whole or not there


def _load(pair: Pair, settings: Settings) -> Loaded:
    if pair.mask is None:
        raise SpnRefineError(pair.problem or "no mask.")
    loaded = job.load(pair.photograph, pair.mask, settings)
    atomic.check_output(output_path(pair, loaded), overwrite=settings.overwrite, inputs=pair.inputs)
    return loaded


def _refine(
    pair: Pair,
    loading: Future[Loaded],
    refiner: RefinesMasks,
    settings: Settings,
    writers: ThreadPoolExecutor,
    also: Finish | None,
) -> Future[Record]:
    record = Record(str(pair.photograph), str(pair.mask) if pair.mask else None)
    try:
        loaded = loading.result()
        start = time.perf_counter()
        refined = job.refine(loaded, refiner, settings, record)
        record.seconds = round(time.perf_counter() - start, 4)
    except Exception as error:  # whatever is wrong with one file, the others go on
        return _done(_failed(record, error))
    return writers.submit(_finish, pair, loaded, refined, settings, record, also)


def _finish(
    pair: Pair, loaded: Loaded, refined: job.Refined, settings: Settings, record: Record, also: Finish | None
) -> Record:
    try:
        output = output_path(pair, loaded)
        data = job.encode(loaded, refined, settings)
        atomic.write_bytes(output, data, overwrite=settings.overwrite, inputs=pair.inputs)
        record.output = str(output)
        if also:
            also(pair, loaded, refined)
    except Exception as error:
        return _failed(record, error)
    return record


def output_path(pair: Pair, loaded: Loaded) -> Path:
    """Where a pair's refined mask goes: the photograph's stem with the mask's own extension."""
    return pair.folder / (pair.stem + masks.extension(loaded.mask))


def _failed(record: Record, error: Exception) -> Record:
    text = str(error) if isinstance(error, SpnRefineError) else f"{type(error).__name__}: {error}"
    return replace(record, status="failed", error=text)


def _done(record: Record) -> Future[Record]:
    future: Future[Record] = Future()
    future.set_result(record)
    return future
