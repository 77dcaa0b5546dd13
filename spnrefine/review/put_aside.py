"""What a report shows of each photograph, put aside on the disc until the page is written."""

import tempfile
import threading
import weakref
from contextlib import suppress
from typing import IO

Place = tuple[int, int] | bytes
"""Where something was put: its first byte and how many, or itself."""


class PutAside:
    """Keeps bytes in a file without a name, which goes with the process; several threads may use it at once.

    Where no such file can be made, or no more be written to it, they stay in memory.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        with suppress(OSError):
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as this
            weakref.finalize(self, self._file.close)
        self._end = 0
        self._lock = threading.Lock()

    def put(self, data: bytes) -> Place:
        """Keep bytes, and say where."""
        if self._file is None:
            return data
        with self._lock:
            try:
                self._file.seek(self._end)
                complete = self._file.write(data) == len(data)
            except OSError:
                complete = False
            if not complete:  # no room
                return data
            began, self._end = self._end, self._end + len(data)
        return began, len(data)

    def get(self, place: Place) -> bytes:
        """Return the bytes that were put there."""
        if isinstance(place, bytes):
            return place
        assert self._file is not None
        began, length = place
        with self._lock:
            self._file.seek(began)
            return self._file.read(length)
