"""Run one kernel on several Python threads at once: who takes which task, and in what order.

A kernel that releases the GIL is called by the calling thread and, with the same arguments, by helpers that wait in the
background. All of them take tasks from one counter. A helper that comes late, or never, costs speed and nothing else:
the caller does its tasks, so calls from any number of Python threads cannot wait for each other.
"""

import os
import queue
import threading
from collections.abc import Callable

import numpy as np

from spnrefine.simd import cores

CLAIMED, DONE, ENTERED = 0, 8, 16
"""Where a control array counts tasks taken, tasks done and threads that came: a cache line apart."""

CONTROL = 24
"""How many numbers it holds."""


LEAST = 8
"""Rows in a task at least: what tasks beside each other both compute is soon more than what they share."""


def portion(rows: int, threads: int) -> tuple[int, int]:
    """Return how many rows a task has of which neighbours compute some twice, and how many tasks there are.

    One for one thread, else two a thread, as one may be late.
    """
    size = rows if threads == 1 else max(-(-rows // (2 * threads)), LEAST)
    return size, -(-rows // size)


class Team:
    """The calling thread and ``size - 1`` helpers, started when first needed; at first a thread a core."""

    def __init__(self) -> None:
        self._size: int | None = None
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)  # threads do not survive a fork

    def _reset(self) -> None:
        self._jobs: queue.SimpleQueue = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._helpers = 0

    @property
    def size(self) -> int:
        if self._size is None:
            self._size = cores.threads()
        return self._size

    @size.setter
    def size(self, threads: int) -> None:
        self._size = threads

    def run(self, function: Callable, arguments: tuple, tasks: int, threads: int, wait: Callable | None = None) -> None:
        """Call ``function(control, *arguments)`` on up to ``threads`` threads, and wait until all tasks are done.

        ``wait`` does that, see :func:`spnrefine.simd.threads.wait_until_done`, which it is if None.
        """
        control = np.zeros(CONTROL, np.int64)
        helpers = min(threads, tasks) - 1
        if helpers > self._helpers:
            self._start(helpers)
        for _ in range(helpers):
            self._jobs.put((function, control, arguments))
        function(control, *arguments)
        if helpers > 0:
            (wait or _numbas_wait())(control, tasks)

    def _start(self, helpers: int) -> None:
        with self._lock:
            while self._helpers < helpers:
                threading.Thread(target=_help, args=(self._jobs,), name="spnrefine", daemon=True).start()
                self._helpers += 1


TEAM = Team()
"""What all kernels run on."""


def _numbas_wait() -> Callable:
    from spnrefine.simd.threads import wait_until_done

    return wait_until_done


def _help(jobs: queue.SimpleQueue) -> None:
    while True:
        function, control, arguments = jobs.get()
        function(control, *arguments)
        del function, control, arguments  # keep no array alive while waiting
