"""Portions worked on by a cluster of Ray: workers refine, and this process alone writes.

Each worker is an actor with one loaded network, and has one task at a time: so it is known which portion a worker that
ended was working on, and only that counts a try. Ray itself would try for ever, and Ray Data with all that is in the
block. The ledger, records and outputs are written here, by the same code as without a cluster: a worker that was taken
for dead and is not can write nothing.
"""

from collections.abc import Generator, Iterable
from functools import partial
from typing import Any

from spnrefine.batch.portion import Portion, Sendable
from spnrefine.batch.ray_cluster import Share, connect, count_workers
from spnrefine.batch.ray_workers import PATIENCE, Workers, out_of_memory, reason
from spnrefine.batch.stop import Stop
from spnrefine.batch.task import Task, Tools
from spnrefine.batch.threads import in_order
from spnrefine.job.record import Record

CALLS = 2
"""Threads for each worker: while one writes what was refined, another has the next sent off."""


class RayEngine:
    """Workers of a cluster; several threads of this process hand out to them.

    Parameters
    ----------
    address : of the cluster; None starts one on this machine, which ends with this.
    jobs : workers; None for as many as there is room for.
    share : what each of them holds.
    patience : seconds to wait for a worker where none is left.

    Raises
    ------
    MissingExtraError, BackendError
        As of `connect` and `count_workers`.
    """

    def __init__(
        self,
        address: str | None = None,
        jobs: int | None = None,
        share: Share = Share(),  # noqa: B008 -- frozen
        patience: float = PATIENCE,
    ):
        self._ray = connect(address)
        self._share, self._patience = share, patience
        try:
            self._jobs = count_workers(self._ray, jobs, share)
        except BaseException:
            self._ray.shutdown()
            raise
        self._workers: Workers | None = None
        self._closed = False

    def equip(self, tools: Tools) -> None:
        """Start the workers, each with what it needs."""
        self._workers = Workers(self._ray, tools, self._jobs, self._share, self._patience)

    def records(self, portions: Iterable[Portion], stop: Stop | None = None) -> Generator[list[Record]]:
        """Yield the records of each portion, as of `spnrefine.batch.engine.Engine`."""
        stop = stop or Stop()
        return in_order((partial(self._work_on, portion, stop) for portion in portions), CALLS * self._jobs, stop)

    def close(self) -> None:
        """Let the workers go, and the cluster."""
        if not self._closed:
            self._closed = True
            if self._workers is not None:
                self._workers.close()
            self._ray.shutdown()

    def _work_on(self, portion: Portion, stop: Stop) -> list[Record]:
        if not isinstance(portion, Sendable):
            return portion.run()
        try:
            task = portion.task()
            return portion.run() if task is None else self._have_done(portion, task, stop)
        except Exception as error:  # whatever is wrong with one portion, the others go on
            return portion.give_up(error)

    def _have_done(self, portion: Sendable, task: Task, stop: Stop) -> list[Record]:
        """Send a portion's task to workers until one lives to finish it, or it is given up; none where the run ends."""
        assert self._workers is not None, "equip() comes first"
        while worker := self._workers.take(stop):
            done, end = self._send(self._workers, worker, task)
            if end is None:
                return portion.finish(done)
            records = portion.lost(reason(end))
            if records is not None:
                return records
            if out_of_memory(end):  # there is no more at once, and the next worker would end as well
                self._workers.pause()
        return []

    def _send(self, workers: Workers, worker: Any, task: Task) -> tuple[Any, Exception | None]:
        """Return what the worker made of a task, or the error that says how it ended."""
        try:
            done = self._ray.get(worker.do.remote(task))
        except self._ray.exceptions.RayTaskError as error:  # a fault of the program's own
            workers.release(worker)
            raise getattr(error, "cause", None) or error from None
        except self._ray.exceptions.RayError as error:
            workers.replace(worker, error)
            return None, error
        workers.release(worker)
        return done, None
