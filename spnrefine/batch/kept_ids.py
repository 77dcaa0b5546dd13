"""The ids of a map at work that are refined, kept beside the ledger, so that an interrupted run goes on with the rest.

A map of thousands of ids takes minutes, and most maps seconds, of which nothing is kept. The file has lines as a
ledger's, each of the ids of some seconds, and is deleted with the map's last.
"""

import base64
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from spnrefine.batch.ledger import open_to_add
from spnrefine.batch.lines import MOST_LINE, Place, encode, read_line, read_lines
from spnrefine.batch.stop import Stop
from spnrefine.errors import FileError
from spnrefine.model.protocols import Probability
from spnrefine.refiner.noting import Used

EVERY = 10.0
"""Seconds from which on a map is worth it: what was refined since is kept, and a run that is to stop need not wait."""
MOST_BYTES = 1 << 28
"""Of one file; the ids that come after are refined again."""
_MOST_IDS, _MOST_PIXELS = 300, 1 << 25  # of one line, or of those that wait: ids, and bytes of pixels
_Used = Sequence[Sequence[float | None]]


class StoppedError(Exception):
    """The run was asked to stop in the middle of a map."""


class KeptIds:
    """Keeps the ids of one pair's maps, see :class:`spnrefine.refiner.keeping.Keeper`; a context, left at their end.

    Parameters
    ----------
    path : of the file.
    key : digests all that the refined masks depend on; asked for only where there is something to keep or recall.
    stop : what the run has.
    resume : whether to recall what an earlier run kept.
    """

    def __init__(self, path: Path, key: Callable[[], str], stop: Stop, *, resume: bool):
        self._path, self._key, self._stop = path, key, stop
        self._map, self._size = -1, 0
        self._file: int | None = None
        self._began = self._since = monotonic()
        self._waiting: list[tuple[int, Probability, Sequence[Used]]] = []
        self._places = self._earlier() if resume and path.is_file() else {}
        self._read: tuple[Place | None, dict[int, tuple[bytes, _Used]]] = None, {}

    def __enter__(self) -> "KeptIds":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.close(self._file)

    def delete(self) -> None:
        """Delete the file: what it is of is written."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def begin(self) -> None:
        """Go on to the next map."""
        if monotonic() - self._began >= EVERY:
            self._add_waiting()
        self._waiting.clear()
        self._map += 1

    def recall(self, place: int, shape: tuple[int, int]) -> tuple[Probability, Sequence[Used]] | None:
        """Return what was kept of an id, see :class:`~spnrefine.refiner.keeping.Keeper`."""
        where = self._places.get((self._map, place))
        if where is None:
            return None
        if self._read[0] != where:
            self._read = where, _ids_of(read_line(where))
        data, said = self._read[1].get(place, (b"", []))
        if len(data) != 4 * shape[0] * shape[1]:
            return None
        probability = np.frombuffer(data, np.float32).reshape(shape)
        if not (probability.min() >= 0 and probability.max() <= 1):  # nor is it a number
            return None
        try:
            return probability, [Used(*_numbers(Used(*one))) for one in said]  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return None

    def keep(self, place: int, probability: Probability, used: Sequence[Used]) -> None:
        """Keep an id along with those of the last seconds.

        Raises
        ------
        StoppedError
            The run is to stop, and they are kept.
        """
        self._waiting.append((place, probability, used))
        now = monotonic()
        stops = self._stop.asked and now - self._began >= EVERY
        if stops or now - self._since >= EVERY:
            self._add_waiting()
            self._since = now
        elif sum(mask.nbytes for _, mask, _ in self._waiting) > _MOST_PIXELS:
            self._waiting.clear()  # large ones, of which so many would take memory
        if stops and self._file is not None:
            raise StoppedError

    def _add_waiting(self) -> None:
        """Add lines of the ids that wait, as far as the file may grow; where that cannot be, they are done again."""
        ids: list[tuple[int, Probability, Sequence[Used]]] = []
        for one in self._waiting:
            if ids and (len(ids) == _MOST_IDS or sum(mask.nbytes for _, mask, _ in [*ids, one]) > _MOST_PIXELS):
                self._add(ids)
                ids = []
            ids.append(one)
        if ids:
            self._add(ids)
        self._waiting.clear()

    def _add(self, ids: Sequence[tuple[int, Probability, Sequence[Used]]]) -> None:
        pixels = b"".join(np.ascontiguousarray(mask).tobytes() for _, mask, _ in ids)
        said = [[place, mask.nbytes, [_numbers(one) for one in used]] for place, mask, used in ids]
        packed = base64.b64encode(pixels).decode("ascii")
        line = encode({"key": self._key(), "map": self._map, "ids": said, "pixels": packed})
        if len(line) > MOST_LINE or self._size + len(line) > MOST_BYTES:
            return
        with suppress(OSError, FileError):
            if self._file is None:
                _, self._file = open_to_add([self._path], required=True)
                assert self._file is not None
                if not self._places:  # it holds nothing of this
                    os.ftruncate(self._file, 0)
                self._size = os.fstat(self._file).st_size
            self._size += os.write(self._file, b"\n" + line)  # a line that was cut short ends here

    def _earlier(self) -> dict[tuple[int, int], Place]:
        """Find what an earlier run kept: where, by the map's number and the id's place."""
        key, found = self._key(), {}
        with suppress(FileError):
            for where, line in read_lines(self._path):
                if line.get("key") == key and isinstance(line.get("map"), int):
                    found.update({(line["map"], place): where for place in _ids_of(line)})
        return found


def _numbers(used: Used) -> list[float | None]:
    return [None if each is None else float(each) for each in astuple(used)]


def _ids_of(line: dict[str, Any] | None) -> dict[int, tuple[bytes, _Used]]:
    """Return the pixels of each id that a line holds, and what was used; nothing where it is no such line."""
    found: dict[int, tuple[bytes, _Used]] = {}
    start = 0
    if line is None:
        return found
    try:
        pixels = base64.b64decode(line["pixels"], validate=True)
        for place, size, used in line["ids"]:
            found[int(place)] = pixels[start : start + int(size)], list(used)
            start += int(size)
    except (KeyError, TypeError, ValueError):
        return {}
    return found
