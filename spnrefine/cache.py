"""Machine code kept on disk, so that only a first run compiles: where it lies, and how it gets there whole.

What a file holds depends on nothing but what its name is a digest of, so none is ever stale, and none replaced by
another: a new version, another Python or another processor looks for other names. Each file is written aside and
renamed when it is whole, so processes need not wait for each other.
"""

import hashlib
import logging
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from spnrefine.errors import FileError
from spnrefine.version import __version__

OWN = "spnrefine"
"""The name of the folder that is emptied as a whole, in whichever folder of caches it lies."""

_DIGEST = hashlib.sha256
_LENGTH = _DIGEST().digest_size  # bytes of a file before the code, to find damage by
_told = {"already": False}


class Contents(NamedTuple):
    """How much is kept."""

    files: int
    bytes: int


def folder() -> Path | None:
    """Return the folder of the machine code, there or not; None where the system names no place for caches.

    ``NUMBA_CACHE_DIR``, where set, is what holds it; else the user's folder of caches: ``XDG_CACHE_HOME``, by default
    ``~/.cache``, on macOS ``~/Library/Caches``, on Windows ``LOCALAPPDATA``.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        return Path(chosen).absolute() / OWN
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    base = Path(os.environ.get(variable, ""))
    if base.is_absolute():  # as the specification asks: any other is to be ignored
        return base / OWN
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and a user that the system does not know
        return None
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / OWN


def file_name(what: str, kind: str, *depends: str | bytes) -> str:
    """Name the file of ``what``: its extension is ``kind``, and its digest that of all that its code depends on."""
    total = _DIGEST()
    for part in (__version__, *depends):
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return f"{what}-{total.hexdigest()[:32]}.{kind}"


def load(name: str) -> bytes | None:
    """Return what was kept under ``name``; None where nothing was, or where it is damaged or anybody's to change."""
    place = folder()
    try:
        if place is None or _why_not_trusted(place):
            return None
        with (place / name).open("rb") as file:  # in two parts, so that nothing of it is copied
            digest, code = file.read(_LENGTH), file.read()
    except OSError:
        return None
    return code if digest == _DIGEST(code).digest() else None


def keep(name: str, code: bytes, *, needed: bool = True) -> None:
    """Keep machine code under ``name`` for later processes.

    Where that cannot be, say once what it costs, unless it is not ``needed``: what makes a start but a little faster.
    """
    reason = _why_not_kept(name, code)
    if reason and needed:
        _tell(reason)


def _why_not_kept(name: str, code: bytes) -> str | None:
    """Keep it, or say why that cannot be."""
    place = folder()
    if place is None:
        return "no HOME is set"
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if reason := _why_not_trusted(place):
            return f"{place} {reason}"
        temporary = place / f".{secrets.token_hex(8)}.tmp"
        try:
            temporary.write_bytes(_DIGEST(code).digest() + code)
            temporary.replace(place / name)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        return f"{place}: {error.strerror or error}"
    return None


def forget(kind: str, most: int) -> None:
    """Delete files of a kind but for the ``most`` that were written last; what cannot be deleted stays."""
    with suppress(OSError):
        files = [(path.stat().st_mtime, path) for path in _files() if path.suffix == f".{kind}"]
        for _, path in sorted(files, reverse=True)[most:]:
            path.unlink(missing_ok=True)


def contents() -> Contents:
    """Count what is kept; what cannot be looked at counts for nothing."""
    try:
        sizes = [path.lstat().st_size for path in _files()]
    except OSError:
        sizes = []
    return Contents(len(sizes), sum(sizes))


def names(kind: str) -> list[str]:
    """Name what is kept of a kind; what cannot be looked at is left out."""
    try:
        return sorted({path.name.rpartition("-")[0] for path in _files() if path.suffix == f".{kind}"})
    except OSError:
        return []


def clear() -> Contents:
    """Delete all that is kept and return how much that was.

    Raises
    ------
    FileError
        Something cannot be deleted.
    """
    found = contents()
    try:
        for path in _files():
            path.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{folder()} cannot be emptied ({reason}): check its permissions.") from None
    return found


def _files() -> list[Path]:
    place = folder()
    return [path for path in place.iterdir() if path.is_file()] if place is not None and place.is_dir() else []


def _why_not_trusted(place: Path) -> str | None:
    """Say why code from a folder must not be run: somebody else could have put it there."""
    if not hasattr(os, "geteuid"):
        return None
    status = place.stat()
    if status.st_uid not in (0, os.geteuid()):
        return "belongs to another user"
    return "can be written by everybody" if status.st_mode & 0o002 else None


def _tell(reason: str) -> None:
    if _told["already"]:
        return
    _told["already"] = True
    logging.getLogger("spnrefine").warning(
        "Compiled kernels cannot be kept (%s), which costs every command several seconds: "
        "set %s to a folder of your own that can be written.",
        reason,
        "NUMBA_CACHE_DIR" if os.environ.get("NUMBA_CACHE_DIR") else "XDG_CACHE_HOME",
    )
