"""Temporary files: names that tell whose they are, so that those of dead processes can be deleted."""

import hashlib
import os
import re
import secrets
import shutil
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

_NAME = re.compile(r"\.spnrefine-([0-9a-f]{8})-([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]{16}\.tmp")
_alive: set[Path] = set()  # of this process


def reserve(folder: Path) -> Path:
    """Return a new name for a temporary file of this process in ``folder``; it is to be released."""
    return adopt(folder / new_name())


def new_name() -> str:
    """Return a new name that tells whose it is: of this process, on this machine."""
    return f".spnrefine-{_machine()}-{_processes()}-{os.getpid()}-{secrets.token_hex(8)}.tmp"


def is_of_dead(name: str, changed: float) -> bool:
    """Tell whether a name that `new_name` gave is of a process of this machine that is dead.

    ``changed`` is when it was last used, in seconds since the epoch.
    """
    found = _NAME.fullmatch(name)
    return found is not None and found[1] == _machine() and _is_dead(found[2], int(found[3]), changed)


def adopt(path: Path) -> Path:
    """Count a file among the temporary ones of this process; it is to be released."""
    _alive.add(path)
    return path


def release(path: Path) -> None:
    """Delete a temporary file, if it is there still."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
    _alive.discard(path)


def release_all() -> None:
    """Delete all temporary files of this process, which is about to end; a signal's handler may call it."""
    for path in list(_alive):
        release(path)


def sweep(folder: Path, *, folders: bool = False) -> list[Path]:
    """Delete the temporary files in ``folder`` of processes of this machine that are dead, and return their paths.

    Those of other machines stay, and of other containers, whose processes cannot be seen from here. A number that has
    gone to another process since keeps a file alive. With ``folders`` it is temporary folders that are deleted.
    """
    swept = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            is_one = entry.is_dir if folders else entry.is_file
            if _NAME.fullmatch(entry.name) is None or not is_one(follow_symlinks=False):
                continue
            with suppress(OSError):
                if is_of_dead(entry.name, entry.stat().st_mtime):
                    (shutil.rmtree if folders else os.unlink)(entry.path)
                    swept.append(Path(entry.path))
    return swept


def _is_dead(processes: str, number: int, changed: float) -> bool:
    if processes != _processes():  # the machine was started again since, or it is another container
        started = _started()
        return started is not None and changed < started
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:  # there, and another user's
        return False
    return False


@cache
def _machine() -> str:
    """Name the machine, as long as it keeps its name."""
    return _short(socket.gethostname(), _text(Path("/etc/machine-id")))


@cache
def _processes() -> str:
    """Name the numbering of processes: each start of a machine has its own, and each container."""
    try:
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 -- it leads nowhere
    except OSError:
        space = ""
    return _short(_text(Path("/proc/sys/kernel/random/boot_id")), space)


def _started() -> float | None:
    """Say when the machine was started, in seconds since the epoch."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else time.time() - time.clock_gettime(clock)


def _short(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(errors="surrogateescape"), digest_size=4).hexdigest()


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except OSError:
        return ""
