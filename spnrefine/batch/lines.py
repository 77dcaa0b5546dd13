"""The lines of a ledger: JSON, each with a sum of its own, read from files that may be damaged or somebody else's.

Nothing here believes a line: one that is cut short, was changed, or never was a ledger's, is passed over.
"""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from spnrefine.errors import FileError
from spnrefine.job.record import Record

KINDS = {
    "output": str,
    "key": str,
    "digest": str,
    "inputs": str,
    "joint": str,
    "chosen": bool,
    "mask": dict,
    "record": dict,
    "tried": str,
}
"""What a line may hold; whatever else it holds is a later version's."""

MOST_LINE = 1 << 26  # bytes: a mask of 250 million pixels of noise fits
_MOST_PARTS = 5000  # of the JSON of a line, each of which takes memory; ours have some fifty
_SUM, _END = b', "sum": "', b'"}'
_SUM_LENGTH = 16
_TAIL = len(_SUM) + _SUM_LENGTH + len(_END)

_MOST_NUMBER = 10**15
_NOTHING = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}


class Place(NamedTuple):
    """Where a line begins."""

    path: Path
    offset: int


def encode(line: dict[str, Any]) -> bytes:
    """Return a line as it is written, with its sum and its end."""
    body = json.dumps(line).encode()
    return body[:-1] + _SUM + _sum(body) + _END + b"\n"


def read_lines(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield the good lines of a ledger and where they are; none where there is no such file.

    Raises
    ------
    FileError
        It cannot be read, or a line is longer than any of a ledger.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # which does not wait for whoever writes to a pipe
    except OSError as error:
        if error.errno in _NOTHING:
            return
        raise FileError(f"{path} cannot be read ({error.strerror or error}): choose another output.") from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        return  # whether it can be written, who opens it will say
    with os.fdopen(number, "rb") as file:
        offset = 0
        while text := file.readline(MOST_LINE + 1):
            if len(text) > MOST_LINE:
                raise FileError(f"{path} is no ledger of refined masks: move it away, or choose another output.")
            line = decode(text)
            if line is not None:
                yield Place(path, offset), line
            offset += len(text)


def read_line(place: Place) -> dict[str, Any] | None:
    """Return a line once more; None where it is no longer there."""
    try:
        with place.path.open("rb") as file:
            file.seek(place.offset)
            return decode(file.readline(MOST_LINE))
    except OSError:
        return None


def decode(text: bytes) -> dict[str, Any] | None:
    """Return what a line says, or None where it is damaged or no ledger's.

    Lines of version 0.1.0 have no sum.
    """
    text = text.removesuffix(b"\n")
    if sum(text.count(mark) for mark in (b"{", b"[", b",")) > _MOST_PARTS:
        return None
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict):
        return None
    if "sum" in line and not _has_its_sum(text):
        return None
    return line if all(isinstance(line[key], kind) for key, kind in KINDS.items() if key in line) else None


def record_of(line: dict[str, Any]) -> Record | None:
    """Return the record in a line; None where there is none, or it is not as records are."""
    found = line.get("record")
    if not isinstance(found, dict):
        return None
    kinds = _kinds()
    values = {name: value for name, value in found.items() if name in kinds}
    if not {"image", "mask"} <= values.keys() or not all(_fits(value, kinds[name]) for name, value in values.items()):
        return None
    return Record(**values)


@cache
def _kinds() -> dict[str, Any]:
    return get_type_hints(Record)


def _fits(value: Any, kind: Any) -> bool:
    """Tell whether a value that came as JSON is of the kind that a record has."""
    if isinstance(kind, UnionType):
        return any(_fits(value, each) for each in get_args(kind))
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(each, get_args(kind)[0]) for each in value)
    if kind is float:
        return type(value) in (int, float) and abs(value) < _MOST_NUMBER  # which NaN is not either
    if kind is int:
        return type(value) is int and abs(value) < _MOST_NUMBER
    return isinstance(value, get_origin(kind) or kind)


def _has_its_sum(text: bytes) -> bool:
    body, tail = text[:-_TAIL] + b"}", text[-_TAIL:]
    return tail == _SUM + _sum(body) + _END


def _sum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_SUM_LENGTH // 2).hexdigest().encode()
