"""What a batch has done, kept beside its output, so that ``--resume`` can tell what is done.

A line of JSON is added before an output is written, with the digest of what is about to be written, and after: whenever
a run is killed, every output there is named, and whatever else lies under its name is somebody's. Masks of an
annotation file, which is written at the end, are kept in lines of their own. `Outputs` decides by these lines what a
run may write; `lines` says what may be believed.
"""

import errno
import os
import stat
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from spnrefine.batch import place
from spnrefine.batch.digests import Origin, digest_file, digest_line, input_keys
from spnrefine.batch.index import Index
from spnrefine.batch.lines import MOST_LINE, Place, encode, read_line, read_lines, record_of
from spnrefine.batch.packing import pack, unpack
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from spnrefine.files import atomic
from spnrefine.job.record import Record


class Ledger:
    """The lines of all runs into one folder or annotation file; several threads may use it.

    Lines are only ever added, each at once, so several processes of a run may add theirs.

    Parameters
    ----------
    output : the folder of the outputs, or the one file that is the output.
    run : what else than the inputs a result depends on, see :func:`run_key`.
    is_folder : whether ``output`` is a folder.
    required : whether to insist on a ledger that can be written; without one a later run cannot resume.

    Raises
    ------
    FileError
        It cannot be written, and is required.
    """

    def __init__(self, output: Path, run: str, *, is_folder: bool = True, required: bool = False):
        self._folder, self.run, self._is_folder = output, run, is_folder
        self._lock = threading.Lock()
        self._index: Index | None = None
        self.path, self._file = open_to_add(place.preferred(output, is_folder=is_folder), required=required)
        self._cut_short = self._file is not None and not _ends_whole(self._file)

    def close(self) -> None:
        """Close the file, which is deleted where nothing was ever written to it."""
        with self._lock:
            if self._file is None:
                return
            try:
                if os.fstat(self._file).st_size:
                    atomic.sync(self._file)
                else:
                    self.path.unlink()
            except OSError:  # what is lost is done again
                pass
            os.close(self._file)
            self._file = None

    def key(self, *inputs: Path) -> str:
        """Digest the contents of the inputs, and what else the result depends on."""
        return self.keys(*inputs)[0]

    def keys(self, *inputs: Path) -> tuple[str, str]:
        """Return what `key` does, and a digest of the contents of the inputs alone."""
        return input_keys(self.run, *inputs)

    def finished(self, output: Path, key: str) -> Record | None:
        """Return the record of ``output`` if it was made from just this and is still as it was written."""
        name = self._name(output)
        line = self._line(self._known.finished.get((name, key)))
        return None if line is None or line.get("key") != key else self._record(line, output)

    def chosen(self, output: Path, inputs: str) -> Record | None:
        """Return the record of ``output`` if what was last made of it was asked for by name, and nothing has changed.

        ``inputs`` is their digest, as of `keys`: what was decided of other ones does not count.
        """
        line = self._line(self._known.last.get(self._name(output)))
        wanted = line is not None and line.get("chosen") and line.get("inputs") == inputs
        return self._record(line, output) if line is not None and wanted else None

    def done(self, output: Path, inputs: str) -> Record | None:
        """Return the record of ``output`` if it was made from these inputs, whatever with, and nothing has changed.

        ``inputs`` is their digest; lines of version 0.1.0 do not say it, and are believed.
        """
        line = self._line(self._known.last.get(self._name(output)))
        return None if line is None or line.get("inputs", inputs) != inputs else self._record(line, output)

    def _record(self, line: dict[str, Any], output: Path) -> Record | None:
        record = record_of(line)
        if record is None or line.get("output") != self._name(output) or digest_file(output) != line.get("digest"):
            return None
        return replace(record, status="skipped")

    def may_replace(self, output: Path) -> bool:
        """Tell whether ``output`` was written by an earlier run, and not changed by anybody since."""
        known = self._known.digests.get(self._name(output))
        return known is not None and digest_file(output) in known

    def may_replace_lines(self, output: Path) -> bool:
        """Tell whether ``output`` begins with a line that an earlier run said it would: the rest came after."""
        known = self._known.digests.get(self._name(output))
        return known is not None and digest_line(output) in known

    def begin(self, output: Path, key: str, digest: str) -> None:
        """Say that something of this ``digest`` is about to be written to ``output``; returns once that is on disc."""
        self._write({"output": self._name(output), "key": key, "digest": digest}, sync=True)

    def finish(
        self, output: Path, key: str, digest: str, record: Record, *, inputs: str = "", chosen: bool = False
    ) -> None:
        """Say that a refined mask of this ``digest`` was written, and all that belongs to it.

        ``inputs`` is their digest, and ``chosen`` says that somebody asked for this mask by its name.
        """
        line = {"output": self._name(output), "key": key, "digest": digest, "record": record.as_dict()}
        self._write(line | ({"inputs": inputs} if inputs else {}) | ({"chosen": True} if chosen else {}))

    def tried(self, key: str, *, given_up: bool) -> None:
        """Say that a process ended in the middle of what ``key`` digests; once ``given_up``, tries count anew."""
        self._write({"key": key, "tried": "given up" if given_up else "again"})

    def tries(self, key: str) -> int:
        """Return how often processes of earlier runs ended in the middle of what ``key`` digests."""
        return self._known.tries.get(key, 0)

    def keep(self, origin: Origin, mask: Boxed, record: Record, *, chosen: bool = False) -> None:
        """Keep a refined mask, for one that is written with others in a file; ``chosen`` as of `finish`."""
        line = {**origin._asdict(), "mask": pack(mask), "record": record.as_dict()}
        self._write(line | ({"chosen": True} if chosen else {}))

    def kept(self, key: str, shape: tuple[int, int]) -> tuple[Boxed, Record] | None:
        """Return the mask of a picture of this ``shape`` that an earlier run made from just this, and its record."""
        line = self._line(self._known.masks.get(key))
        return None if line is None or line.get("key") != key else self._mask(line, shape)

    def kept_last(
        self, inputs: str, shape: tuple[int, int], *, joint: str = "", chosen: bool = False
    ) -> tuple[Boxed, Record] | None:
        """Return what was last made of these inputs, whatever with: the mask, as `kept` does, and its record.

        ``joint`` is for it to count only where the masks that it touches are the same too, see `Origin`; ``chosen``
        where it was asked for by name.
        """
        line = self._line(self._known.last_masks.get(inputs))
        if line is None or line.get("inputs") != inputs:
            return None
        if (joint and line.get("joint") != joint) or (chosen and not line.get("chosen")):
            return None
        return self._mask(line, shape)

    def _mask(self, line: dict[str, Any], shape: tuple[int, int]) -> tuple[Boxed, Record] | None:
        if "mask" not in line:
            return None
        mask, record = unpack(line["mask"], shape), record_of(line)
        return None if mask is None or record is None else (mask, replace(record, status="skipped"))

    @property
    def _known(self) -> "Index":
        with self._lock:
            if self._index is None:
                self._index = Index(place.places(self._folder, is_folder=self._is_folder))
            return self._index

    def _line(self, where: Place | None) -> dict[str, Any] | None:
        return None if where is None else read_line(where)

    def _name(self, output: Path) -> str:
        inside = self._is_folder and output.is_relative_to(self._folder)
        return (output.relative_to(self._folder) if inside else output.absolute()).as_posix()

    def _write(self, line: dict[str, Any], *, sync: bool = False) -> None:
        data = encode(line)
        if len(data) > MOST_LINE:
            return  # a mask so large is refined again
        with self._lock:
            if self._file is None:
                return
            try:
                data = b"\n" + data if self._cut_short else data
                self._cut_short = os.write(self._file, data) < len(data)  # at once, or not at all
                if self._cut_short:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                if sync:
                    atomic.sync(self._file)
            except OSError as error:
                reason = error.strerror or error
                raise FileError(
                    f"{self.path} cannot be written ({reason}): make room, or choose another output."
                ) from None


def made_before(folder: Path) -> list[Path]:
    """List what earlier runs into a folder wrote, pictures too, whether it still lies there or not."""
    return [
        folder.absolute() / line["output"]
        for path in place.places(folder, is_folder=True)
        for _, line in read_lines(path)
        if "output" in line
    ]


def made_below(folder: Path) -> list[Path]:
    """List what runs into folders below one wrote, where their ledgers lie there; as `made_before`."""
    made: list[Path] = []
    for output in place.outputs_below(folder):
        with suppress(FileError):  # what is no ledger, and nobody asked to be read
            made += made_before(output)
    return made


def open_to_add(paths: list[Path], *, required: bool) -> tuple[Path, int | None]:
    """Open the first of ``paths`` that can be, to add lines; None where none can and none need be.

    Raises
    ------
    FileError
        None can, and one is required.
    """
    problem = ""
    for path in paths:
        try:
            atomic.make_folder(path.parent)
            file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
            if stat.S_ISREG(os.fstat(file).st_mode):
                return path, file
            os.close(file)
            problem = problem or f"{path} cannot be written (no regular file): choose another output."
        except OSError as error:
            problem = problem or f"{path} cannot be written ({error.strerror or error}): choose another output."
    if required:
        raise FileError(problem)
    return paths[0], None


def _ends_whole(file: int) -> bool:
    size = os.fstat(file).st_size
    return size == 0 or os.pread(file, 1, size - 1) == b"\n"
