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
from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba.core import cgutils, types

from spnrefine.simd import cores
from spnrefine.simd.compiling import kernel
from spnrefine.simd.vectors import intrinsic

CLAIMED, DONE, ENTERED = 0, 8, 16
"""Where a control array counts tasks taken, tasks done and threads that came: a cache line apart."""


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

    def run(self, function: Callable, arguments: tuple, tasks: int, threads: int) -> None:
        """Call ``function(control, *arguments)`` on up to ``threads`` threads, and wait until all tasks are done."""
        control = np.zeros(24, np.int64)
        helpers = min(threads, tasks) - 1
        if helpers > self._helpers:
            self._start(helpers)
        for _ in range(helpers):
            self._jobs.put((function, control, arguments))
        function(control, *arguments)
        wait_until_done(control, tasks)

    def _start(self, helpers: int) -> None:
        with self._lock:
            while self._helpers < helpers:
                threading.Thread(target=_help, args=(self._jobs,), name="spnrefine", daemon=True).start()
                self._helpers += 1


TEAM = Team()
"""What all kernels run on."""


def _help(jobs: queue.SimpleQueue) -> None:
    while True:
        function, control, arguments = jobs.get()
        function(control, *arguments)
        del function, control, arguments  # keep no array alive while waiting


@intrinsic
def add_and_fetch_old(typingctx, counters, index):
    """Add 1 to ``counters[index]`` and return what it was, as one atomic step."""

    def codegen(context, builder, signature, arguments):
        data = context.make_array(counters)(context, builder, arguments[0]).data
        where = builder.gep(data, [arguments[1]])
        return builder.atomic_rmw("add", where, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(counters, types.intp), codegen


@intrinsic
def _fetch(typingctx, counters, index):
    def codegen(context, builder, signature, arguments):
        data = context.make_array(counters)(context, builder, arguments[0]).data
        return builder.load_atomic(builder.gep(data, [arguments[1]]), "seq_cst", 8)

    return types.int64(counters, types.intp), codegen


@intrinsic
def _give_way(typingctx):
    """Let another thread have the core, where the system has POSIX's call for it."""

    def codegen(context, builder, signature, arguments):
        if os.name == "posix":
            function_type = ir.FunctionType(ir.IntType(32), [])
            builder.call(cgutils.get_or_insert_function(builder.module, function_type, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@kernel
def wait_until_done(control, tasks):
    """Return once ``tasks`` tasks are done; those still open are being worked on by other threads."""
    turns = 0
    while _fetch(control, DONE) < tasks:
        turns += 1
        if turns > 1000:
            _give_way()
