"""What a batch has done, kept beside its output, so that ``--resume`` can tell what is done.

A line of JSON is added before an output is written and after: whenever a run is killed, every output there is named.
Masks of an annotation file, which is written at the end, are kept in lines of their own. `Outputs` decides by these
lines what a run may write.
"""

import errno
import hashlib
import json
import os
import threading
from dataclasses import asdict, fields, replace
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.batch.packing import pack, unpack
from spnrefine.errors import FileError
from spnrefine.files.opening import read_bytes
from spnrefine.job.record import Record
from spnrefine.job.types import Settings

SUFFIX = ".spnrefine.jsonl"
KINDS = {"output": str, "key": str, "digest": str, "mask": dict, "record": dict}
"""What a line may hold."""


class Ledger:
    """The lines of all runs into one folder or annotation file; later ones count.

    Parameters
    ----------
    folder : of the outputs, or the one file that is the output.
    run : what else than the inputs a result depends on, see :func:`run_key`.
    required : whether to insist on a ledger that can be written; without one a later run cannot resume.

    Raises
    ------
    FileError
        It cannot be written, and is required.
    """

    def __init__(self, folder: Path, run: str, *, required: bool = False):
        self._folder, self._run = folder, run
        self._lock = threading.Lock()
        path = ledger_path(folder)
        written = _read(path)
        self._lines = {line["output"]: line for line in written if "output" in line}
        self._masks = {line["key"]: line for line in written if "mask" in line}
        self._path, self._file = path, _open(path, required=required)

    def close(self) -> None:
        if self._file:
            self._file.close()

    def key(self, *inputs: Path) -> str:
        """Digest the contents of the inputs, and what else the result depends on."""
        return digest(self._run.encode(), *(read_bytes(path) for path in inputs))

    def finished(self, output: Path, key: str) -> Record | None:
        """Return the record of ``output`` if it was made from just this and is still as it was written."""
        line = self._lines.get(self._name(output))
        if line is None or line.get("key") != key or not self._is_untouched(output, line):
            return None
        return _skipped(line["record"])

    def may_replace(self, output: Path) -> bool:
        """Tell whether ``output`` was written by an earlier run, and not changed by anybody since."""
        line = self._lines.get(self._name(output))
        return line is not None and (line.get("digest") is None or self._is_untouched(output, line))

    def begin(self, output: Path, key: str) -> None:
        """Say that ``output`` is about to be written."""
        self._write({"output": self._name(output), "key": key})

    def finish(self, output: Path, key: str, data: bytes, record: Record | None = None) -> None:
        """Say that ``output`` was written as ``data``; ``record`` is that of a refined mask."""
        line = {"output": self._name(output), "key": key, "digest": digest(data)}
        self._write(line if record is None else line | {"record": record.as_dict()})

    def mask_key(self, photograph: str, coarse: NDArray[np.bool_]) -> str:
        """Digest a coarse mask (H, W) and its photograph's digest, and what else the result depends on."""
        return digest(
            self._run.encode(), photograph.encode(), repr(coarse.shape).encode(), np.packbits(coarse).tobytes()
        )

    def keep(self, key: str, mask: NDArray[np.bool_], record: Record) -> None:
        """Keep a refined mask (H, W), for one that is written with others in a file."""
        self._write({"key": key, "mask": pack(mask), "record": record.as_dict()})

    def kept(self, key: str) -> tuple[NDArray[np.bool_], Record] | None:
        """Return the mask that an earlier run made from just this, and its record."""
        line = self._masks.get(key)
        return None if line is None else (unpack(line["mask"]), _skipped(line["record"]))

    def _is_untouched(self, output: Path, line: dict[str, Any]) -> bool:
        if line.get("digest") is None or not output.is_file():
            return False
        try:
            return digest(output.read_bytes()) == line["digest"]  # which may be empty, as YOLO's files are
        except OSError:
            return False

    def _name(self, output: Path) -> str:
        inside = output.is_relative_to(self._folder)
        return (output.relative_to(self._folder) if inside else output.absolute()).as_posix()

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is None:
            return
        data = (json.dumps(line) + "\n").encode()
        with self._lock:
            try:
                if self._file.write(data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                reason = error.strerror or error
                raise FileError(
                    f"{self._path} cannot be written ({reason}): make room, or choose another output."
                ) from None


def made_before(folder: Path) -> list[Path]:
    """List what earlier runs into a folder wrote, pictures too, whether it still lies there or not."""
    return [folder.absolute() / line["output"] for line in _read(ledger_path(folder)) if "output" in line]


def ledger_path(folder: Path) -> Path:
    """Return where the ledger of a folder of outputs lies: hidden, beside it."""
    folder = folder.absolute()
    return folder.with_name(f".{folder.name}{SUFFIX}")


def run_key(settings: Settings, weights: str, version: str) -> str:
    """Put in words what results depend on besides the inputs: options, checksum of the weights, program version."""
    options = asdict(settings) | {"overwrite": None}
    if not settings.wrap:  # ledgers of earlier versions know of no panoramas
        del options["wrap"]
    return json.dumps([options, weights, version], sort_keys=True)


def digest(*parts: bytes) -> str:
    """Digest several byte strings, which cannot be confused with others that read the same in a row."""
    total = hashlib.blake2b(digest_size=20)
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def _skipped(record: dict[str, Any]) -> Record:
    known = {f.name for f in fields(Record)}
    return replace(Record(**{k: v for k, v in record.items() if k in known}), status="skipped")


def _open(path: Path, *, required: bool) -> FileIO | None:
    """Open a ledger to add lines; None where it cannot be written and need not be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_short = path.is_file() and not path.read_bytes().endswith(b"\n")
        file = FileIO(path, "a")  # holds nothing back: a line is written or it is not
        if cut_short:  # a run was killed in the middle of a line
            file.write(b"\n")
    except OSError as error:
        if not required:
            return None
        raise FileError(f"{path} cannot be written ({error.strerror or error}): choose another output.") from None
    return file


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    lines = []
    for text in read_bytes(path).split(b"\n") if path.stat().st_size else []:
        try:
            line = json.loads(text)
        except ValueError:
            continue  # cut short when a run was killed
        lines += [line] if _is_line(line) else []
    return lines


def _is_line(line: Any) -> bool:
    """Tell a line of a ledger from what an editor or another program left there."""
    return isinstance(line, dict) and all(isinstance(line[key], kind) for key, kind in KINDS.items() if key in line)
