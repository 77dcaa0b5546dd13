"""The files that a run reads, none of which it may write, by whatever name."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path


class Inputs:
    """A set of files that tells whether a path leads to one of them; several threads may ask at once.

    A path leads to an input if it is its path, or if both lead to the same file: by symbolic and hard links, by another
    mount or by another spelling. Inputs need not be there.

    Parameters
    ----------
    paths : of the inputs.
    """

    def __init__(self, paths: Iterable[Path] = ()):
        self._paths = {_full(path): Path(path) for path in paths}
        self._files: dict[tuple[int, int], Path] | None = None
        self._lock = threading.Lock()

    def find(self, path: Path) -> Path | None:
        """Return the input that ``path`` leads to, if any."""
        found = self._paths.get(_full(path))
        if found is not None:
            return found
        identity = _identity(path)
        if identity is None:  # what is not there is no input by another name
            return None
        found = self._identities().get(identity)
        return found if found is not None and _identity(found) == identity else None  # it may have gone since

    def _identities(self) -> dict[tuple[int, int], Path]:
        """Look at each input once, and only where an output exists: on a share that takes its time."""
        with self._lock:
            if self._files is None:
                known = ((_identity(path), path) for path in self._paths.values())
                self._files = {identity: path for identity, path in known if identity is not None}
            return self._files


def _full(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 -- without the cost of a Path for each of many


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino
