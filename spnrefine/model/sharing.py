"""One network for all in a process who ask for the same weights, for as long as one of them holds it."""

import os
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import Lock
from typing import TypeVar
from weakref import WeakValueDictionary

Shared = TypeVar("Shared")

_held: WeakValueDictionary[tuple[Hashable, ...], object] = WeakValueDictionary()
_one_at_a_time = Lock()


def stamp(path: Path) -> tuple[int, ...]:
    """Return what tells a file's content from that of before: when it was written, its size, and which file it is.

    Raises
    ------
    OSError
        There is no such file.
    """
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def shared(make: Callable[[], Shared], path: Path, *how: Hashable) -> Shared:
    """Return what is held of a weights file, loaded in the way ``how``, or what ``make`` makes; errors are its own."""
    key = path.resolve(), stamp(path), how
    with _one_at_a_time:
        found = _held.get(key)
        if found is None:
            found = _held[key] = make()
        return found  # type: ignore[return-value]


def _begin_anew() -> None:
    """Share nothing with the process that this one was forked from: the threads of its networks are not here."""
    global _one_at_a_time
    _one_at_a_time = Lock()
    _held.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_begin_anew)
