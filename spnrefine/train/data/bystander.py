"""Processes that read ahead for a training, and leave Ctrl-C and the like to the one they read for."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

STOPS = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def starting_bystanders(method: str) -> Iterator[None]:
    """Hold SIGINT and SIGTERM back from this thread, and for good from the processes that are started meanwhile.

    A terminal's Ctrl-C, and the SIGTERM of a batch system, reach all processes of a run at once. The one that trains
    ends its step and saves; for that it needs the others, which it stops itself. Each has to call
    :func:`end_with_parent`. ``method`` is multiprocessing's, fork or spawn.
    """
    if method == "spawn":
        resource_tracker.ensure_running()  # else started by the first spawn, and it lets the signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # processes and threads begin with the mask of their maker
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent(worker: int = 0) -> None:
    """Let a SIGTERM end this process if its parent sent it; made for DataLoader's ``worker_init_fn``.

    A parent that has died sends nothing more: that, DataLoader's workers look for themselves, every five seconds.
    """
    if hasattr(signal, "sigwaitinfo"):
        threading.Thread(target=_wait, args=(os.getppid(),), daemon=True).start()
    else:  # macOS does not tell who sent a signal: then any SIGTERM ends this process
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _wait(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)  # this is not the main thread, which may be in the middle of a picture
