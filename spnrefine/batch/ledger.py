"""What a batch has written, kept beside the folder of its outputs, so that ``--resume`` can tell what is done.

A line of JSON is added before an output is written and after: whenever a run is killed, every output there is named.
"""

import hashlib
import json
import threading
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TextIO

from spnrefine.batch.job import Settings
from spnrefine.batch.record import Record
from spnrefine.errors import FileError
from spnrefine.files.opening import read_bytes

SUFFIX = ".spnrefine.jsonl"


class Ledger:
    """The lines of all runs into one folder; later ones count.

    Parameters
    ----------
    folder : of the outputs.
    run : what else than the inputs a result depends on, see :func:`run_key`.
    required : whether to insist on a ledger that can be written; without one a later run cannot resume.

    Raises
    ------
    FileError: it cannot be written, and is required.
    """

    def __init__(self, folder: Path, run: str, *, required: bool = False):
        self._folder, self._run = folder, run
        self._lock = threading.Lock()
        path = ledger_path(folder)
        self._lines = _read(path)
        self._file: TextIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            cut_short = path.is_file() and not path.read_bytes().endswith(b"\n")
            self._file = path.open("a", encoding="utf-8")
            if cut_short:  # a run was killed in the middle of a line
                self._file.write("\n")
        except OSError as error:
            if required:
                raise FileError(
                    f"{path} cannot be written ({error.strerror or error}); choose another output"
                ) from None

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
        known = {f.name for f in fields(Record)}
        return replace(Record(**{k: v for k, v in line["record"].items() if k in known}), status="skipped")

    def may_replace(self, output: Path) -> bool:
        """Tell whether ``output`` was written by an earlier run, and not changed by anybody since."""
        line = self._lines.get(self._name(output))
        return line is not None and (line.get("digest") is None or self._is_untouched(output, line))

    def begin(self, output: Path, key: str) -> None:
        """Say that ``output`` is about to be written."""
        self._write({"output": self._name(output), "key": key})

    def finish(self, output: Path, key: str, data: bytes, record: Record) -> None:
        """Say that ``output`` was written as ``data``."""
        self._write({"output": self._name(output), "key": key, "digest": digest(data), "record": record.as_dict()})

    def _is_untouched(self, output: Path, line: dict[str, Any]) -> bool:
        return line.get("digest") is not None and output.is_file() and digest(read_bytes(output)) == line["digest"]

    def _name(self, output: Path) -> str:
        return output.relative_to(self._folder).as_posix()

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is None:
            return
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def ledger_path(folder: Path) -> Path:
    """Return where the ledger of a folder of outputs lies: hidden, beside it."""
    folder = folder.absolute()
    return folder.with_name(f".{folder.name}{SUFFIX}")


def run_key(settings: Settings, weights: str, version: str) -> str:
    """Put in words what results depend on besides the inputs: options, checksum of the weights, program version."""
    options = asdict(settings) | {"overwrite": None}
    return json.dumps([options, weights, version], sort_keys=True)


def digest(*parts: bytes) -> str:
    """Digest several byte strings, which cannot be confused with others that read the same in a row."""
    total = hashlib.blake2b(digest_size=20)
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def _read(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    lines: dict[str, dict[str, Any]] = {}
    for text in read_bytes(path).split(b"\n") if path.stat().st_size else []:
        try:
            line = json.loads(text)
            lines[line["output"]] = line
        except (ValueError, KeyError, TypeError):
            continue  # cut short when a run was killed
    return lines
