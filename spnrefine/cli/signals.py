"""Ctrl-C and its kind: a first one ends the program in good order, a second one at once."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spnrefine.batch.stop import Stop

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
CODE = 128
"""What is added to a signal's number for the exit code, as shells have it."""

_SAME = 0.1  # seconds within which a second signal is the first, sent to a process and to its group
_STOPPING = b"Stopping when what has begun is finished. Another Ctrl-C ends at once.\n"


class _Heard:
    """What the handler knows: the first signal, when it came, and whom to ask to stop."""

    number: int | None = None
    when = 0.0
    stop: "Stop | None" = None


@contextmanager
def listening() -> Iterator[None]:
    """Let a first signal raise KeyboardInterrupt, or ask to `stopping`, and a second end the process at once.

    Signals that are ignored, as under nohup, stay so; so does what a program has set that calls this one.
    """
    before: dict[int, Any] = {}
    _Heard.number = None
    if threading.current_thread() is threading.main_thread():
        usual = signal.SIG_DFL, signal.default_int_handler
        before = {number: signal.getsignal(number) for number in SIGNALS if signal.getsignal(number) in usual}
        for number in before:
            signal.signal(number, _handle)
    try:
        yield
    finally:
        if _Heard.number is None:  # else this process is about to end: a second signal must not find it half gone
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def stopping(stop: "Stop") -> Iterator[None]:
    """Ask ``stop`` at a first signal; KeyboardInterrupt follows when all inside is done."""
    _Heard.stop = stop
    try:
        yield
    finally:
        _Heard.stop = None
    if _Heard.number is not None:
        raise KeyboardInterrupt


def exit_code() -> int:
    """Return the exit code of a program that a signal has ended."""
    return CODE + (_Heard.number or signal.SIGINT)


def heard() -> bool:
    """Tell whether a signal has come."""
    return _Heard.number is not None


def _handle(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if _Heard.number is None:
        _Heard.number, _Heard.when = number, now
        if _Heard.stop is None:
            raise KeyboardInterrupt
        _Heard.stop.ask()
        with suppress(OSError):
            os.write(2, _STOPPING)  # nothing buffered, as a handler may come in the middle of a write
    elif now - _Heard.when > _SAME:
        _end_at_once()


def _end_at_once() -> None:
    """Leave without Python's ending, which threads in the middle of their work do not survive."""
    from spnrefine.files import temporary

    temporary.release_all()
    os._exit(exit_code())
