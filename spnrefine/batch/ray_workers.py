"""The workers of a cluster: actors of Ray, each with a loaded network, and others in the place of those that end.

One that ended for a fault of its node, such as want of memory, is started anew after a pause, for as long as it takes;
one that raised an error as it started, a few times. So a node that is short of memory for a while costs time alone.
"""

import os
import queue
import threading
import time
from contextlib import suppress
from typing import Any

from spnrefine.batch.ray_cluster import Share
from spnrefine.batch.stop import Stop
from spnrefine.batch.task import Task, Tools
from spnrefine.errors import BackendError

PATIENCE = 600.0
"""Seconds to wait for a worker where none is left, such as for a node that is to take the place of one that went."""

MOST_STARTS = 3
"""Times in a row that a worker may fail to start by a fault of its own, such as weights that its node has not."""

PAUSE = 5.0
"""Seconds before another is started, or sent the same, where a worker ended for want of memory, or as it started."""

_LOOK = 1.0  # seconds after which one who waits looks whether there is still something to wait for
_IDLE = 1.0  # seconds without a task after which a worker is asked whether it is still there


class Workers:
    """Several workers, which threads of this process take and give back.

    Parameters
    ----------
    ray : the module, joined to the cluster.
    tools : what each worker loads.
    count : how many there are.
    share : what each of them holds of its node.
    patience : seconds to wait for one where none is left.
    """

    def __init__(self, ray: Any, tools: Tools, count: int, share: Share, patience: float = PATIENCE):
        self._ray, self._patience = ray, patience
        self._kind = ray.remote(num_cpus=share.cpus, num_gpus=share.gpus, max_restarts=0)(_Worker)
        self._arguments = ray.put(tools), os.getcwd(), max(1, int(share.cpus))  # noqa: PTH109
        self._free: queue.SimpleQueue[tuple[Any, float]] = queue.SimpleQueue()  # and since when
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._alive, self._failed_starts = 0, 0
        self._broken: BackendError | None = None
        self._last = "none was started"
        self._waiting: list[threading.Thread] = []
        self._alone_since = time.monotonic()
        for _ in range(count):
            self._hire()

    def close(self) -> None:
        """Start no further worker."""
        self._closing.set()
        for thread in self._waiting:  # no thread may be inside Ray when it is shut down: it was seen to crash
            thread.join()

    def pause(self) -> None:
        """Wait until there may be memory again where a worker had none."""
        self._closing.wait(PAUSE)

    def take(self, stop: Stop) -> Any:
        """Wait for a worker that has nothing to do; None where the run is to end.

        Raises
        ------
        BackendError
            No worker can be started, or there has been none for too long.
        """
        while not stop.asked:
            with suppress(queue.Empty):
                worker, since = self._free.get(timeout=_LOOK)
                if time.monotonic() - since < _IDLE or self._is_there(worker):
                    return worker
                continue
            with self._lock:
                alone = 0.0 if self._alive else time.monotonic() - self._alone_since
                if self._broken and not self._alive:
                    raise self._broken
            if alone > self._patience:
                raise BackendError(
                    f"There has been no worker for {alone:.0f} seconds ({self._last}): check the cluster's nodes."
                )
        return None

    def _is_there(self, worker: Any) -> bool:
        """Tell whether an idle worker still lives, so that no portion has a try counted that nobody began."""
        try:
            self._ray.get(worker.here.remote())
        except self._ray.exceptions.RayError as error:
            self.replace(worker, error)
            return False
        return True

    def release(self, worker: Any) -> None:
        """Have a worker taken by the next who asks for one."""
        self._free.put((worker, time.monotonic()))

    def replace(self, worker: Any, error: Exception) -> None:
        """Have another worker started for one that ended."""
        with self._lock:
            self._alive -= 1
            self._alone_since, self._last = time.monotonic(), reason(error)
        with suppress(Exception):
            self._ray.kill(worker)
        self._hire(PAUSE if out_of_memory(error) else 0.0)

    def _hire(self, pause: float = 0.0) -> None:
        """Start a worker after so many seconds; it has nothing to do as soon as it is there."""
        thread = threading.Thread(target=self._start, args=(pause,), daemon=True)
        with self._lock:
            self._waiting = [each for each in self._waiting if each.is_alive()] + [thread]
            thread.start()

    def _start(self, pause: float) -> None:
        while not self._closing.wait(pause):
            try:
                worker = self._kind.remote(*self._arguments)
                here = worker.here.remote()
                while not self._ray.wait([here], timeout=_LOOK)[0]:
                    if self._closing.is_set():
                        return
                self._ray.get(here)
            except Exception as error:
                if not self._may_start_again(error):
                    return
                pause = PAUSE
                continue
            with self._lock:
                self._alive, self._failed_starts = self._alive + 1, 0
            self.release(worker)
            return

    def _may_start_again(self, error: Exception) -> bool:
        """Tell whether to try once more where a worker did not start: always, where only its node is to blame."""
        self._last = reason(error)
        if not _is_its_own_fault(error):
            return True
        with self._lock:
            self._failed_starts += 1
            if self._failed_starts < MOST_STARTS:
                return True
            self._broken = BackendError(f"No worker can be started ({reason(error)}): check the nodes.")
            return False


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


def _is_its_own_fault(error: Exception) -> bool:
    """Tell whether a worker raised an error as it started, rather than that its process ended."""
    return "creation task" in str(error)


def out_of_memory(error: Exception) -> bool:
    """Tell whether Ray ended a worker because its node's memory ran out."""
    return "NODE_OUT_OF_MEMORY" in str(error) or "low on memory" in str(error)


def reason(error: Exception) -> str:
    """Say in a few words what Ray says of a worker's end in a paragraph."""
    text = str(error).strip()
    if _is_its_own_fault(error):  # the last line of its traceback
        return text.splitlines()[-1].strip().rstrip(".")
    if out_of_memory(error):
        return "its machine's memory ran out"
    if "node has died" in text or "node was terminated" in text:
        return "its machine left"
    return "killed, or crashed"
