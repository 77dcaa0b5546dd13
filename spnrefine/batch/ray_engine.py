"""Portions worked on by a cluster of Ray: workers refine, and this process alone writes.

Each worker is an actor with one loaded network, and has one task at a time: so it is known which portion a worker that
ended was working on, and only that counts a try. Ray itself would try for ever, and Ray Data with all that is in the
block. The ledger, records and outputs are written here, by the same code as without a cluster: a worker that was taken
for dead and is not can write nothing.
"""

import os
import queue
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from spnrefine.batch.portion import Portion, Sendable
from spnrefine.batch.ray_cluster import Share, connect, count_workers
from spnrefine.batch.stop import Stop
from spnrefine.batch.task import Task, Tools
from spnrefine.batch.threads import in_order
from spnrefine.errors import BackendError
from spnrefine.job.record import Record

CALLS = 2
"""Threads for each worker: while one writes what was refined, another has the next sent off."""

PATIENCE = 600.0
"""Seconds to wait for a worker where none is left, such as for a node that is to take the place of one that went."""

MOST_STARTS = 3
"""Times in a row that a worker may fail to start."""

_LOOK = 1.0  # seconds after which one who waits looks whether there is still something to wait for


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
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._alive, self._failed_starts = 0, 0
        self._broken: BackendError | None = None
        self._waiting: list[threading.Thread] = []
        self._alone_since = time.monotonic()

    def equip(self, tools: Tools) -> None:
        """Start the workers, each with what it needs."""
        remote = self._ray.remote(num_cpus=self._share.cpus, num_gpus=self._share.gpus, max_restarts=0)
        self._kind = remote(_Worker)
        self._arguments = self._ray.put(tools), os.getcwd(), max(1, int(self._share.cpus))  # noqa: PTH109
        for _ in range(self._jobs):
            self._hire()

    def records(self, portions: Iterable[Portion], stop: Stop | None = None) -> Generator[list[Record]]:
        """Yield the records of each portion, as of `spnrefine.batch.engine.Engine`."""
        stop = stop or Stop()
        return in_order((partial(self._work_on, portion, stop) for portion in portions), CALLS * self._jobs, stop)

    def close(self) -> None:
        """Let the workers go, and the cluster."""
        if not self._closed:
            self._closed = True
            for thread in self._waiting:  # no thread may be inside Ray when it is shut down: it was seen to crash
                thread.join()
            self._ray.shutdown()

    def _work_on(self, portion: Portion, stop: Stop) -> list[Record]:
        if not isinstance(portion, Sendable):
            return portion.run()
        try:
            task = portion.task()
            if task is None:
                return portion.run()
            while True:
                worker = self._next(stop)
                if worker is None:
                    return []
                done, why = self._send(worker, task)
                if why is None:
                    return portion.finish(done)
                records = portion.lost(why)
                if records is not None:
                    return records
        except Exception as error:  # whatever is wrong with one portion, the others go on
            return portion.give_up(error)

    def _send(self, worker: Any, task: Task) -> tuple[Any, str | None]:
        """Return what the worker made of a task, or why it did not live to."""
        try:
            done = self._ray.get(worker.do.remote(task))
        except self._ray.exceptions.RayTaskError as error:  # a fault of the program's own
            self._free.put(worker)
            raise getattr(error, "cause", None) or error from None
        except self._ray.exceptions.RayError as error:
            self._dismiss(worker)
            self._hire()
            return None, _reason(error)
        self._free.put(worker)
        return done, None

    def _next(self, stop: Stop) -> Any:
        """Wait for a worker that has nothing to do; None where the run is to end.

        Raises
        ------
        BackendError
            No worker can be started, or there has been none for too long.
        """
        while not stop.asked:
            with suppress(queue.Empty):
                return self._free.get(timeout=_LOOK)
            with self._lock:
                alone = 0.0 if self._alive else time.monotonic() - self._alone_since
                if self._broken and not self._alive:
                    raise self._broken
            if alone > self._patience:
                raise BackendError(f"There has been no worker for {alone:.0f} seconds: check the cluster's nodes.")
        return None

    def _hire(self) -> None:
        """Start a worker, which has nothing to do as soon as it is there."""
        worker = self._kind.remote(*self._arguments)
        thread = threading.Thread(target=self._await, args=(worker,), daemon=True)
        with self._lock:
            self._waiting = [each for each in self._waiting if each.is_alive()] + [thread]
            thread.start()

    def _await(self, worker: Any) -> None:
        try:
            here = worker.here.remote()
            while not self._ray.wait([here], timeout=_LOOK)[0]:
                if self._closed:
                    return
            self._ray.get(here)
        except Exception as error:
            with self._lock:
                self._failed_starts += 1
                again = self._failed_starts < MOST_STARTS and not self._closed
                if not again:
                    self._broken = BackendError(f"No worker can be started ({_reason(error)}): check the nodes.")
            if again:
                self._hire()
            return
        with self._lock:
            self._alive, self._failed_starts = self._alive + 1, 0
        self._free.put(worker)

    def _dismiss(self, worker: Any) -> None:
        with self._lock:
            self._alive -= 1
            self._alone_since = time.monotonic()
        with suppress(Exception):
            self._ray.kill(worker)


class _Worker:
    """What works in a process of its own, with one loaded network."""

    def __init__(self, tools: Tools, folder: str, threads: int):
        import cv2

        from spnrefine.simd import cores

        with suppress(OSError):  # paths that do not start at a root need it
            os.chdir(folder)
        cores.limit_libraries(threads)
        cv2.setNumThreads(threads)
        self._tools = tools

    def here(self) -> None:
        """Tell that it is there."""

    def do(self, task: Task) -> Any:
        return task(self._tools)


def _reason(error: Exception) -> str:
    """Say in a few words what Ray says of a worker's end in a paragraph."""
    text = str(error).strip()
    if "creation task" in text:  # the last line of its traceback
        return text.splitlines()[-1].strip().rstrip(".")
    if "NODE_OUT_OF_MEMORY" in text or "low on memory" in text:
        return "its machine's memory ran out"
    if "node has died" in text or "node was terminated" in text:
        return "its machine left"
    return "killed, or crashed"
