"""Digests of files and of what results depend on, by which a ledger knows them again."""

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from spnrefine.boxes.boxed import Boxed
from spnrefine.files.atomic import Data, parts
from spnrefine.files.opening import read_bytes

_CHUNK = 1 << 20


def input_keys(run: str, *inputs: Path) -> tuple[str, str]:
    """Digest the contents of inputs, and what else a result depends on, ``run``; and the contents alone."""
    contents = [read_bytes(path) for path in inputs]
    return digest(run.encode(), *contents), digest(*contents)


class Origin(NamedTuple):
    """What a mask of an annotation file is made from, digested.

    Attributes
    ----------
    key : its photograph, its coarse mask, those that this touches, and what else the result depends on.
    inputs : the photograph and the coarse mask alone.
    joint : these and the masks that it touches.
    """

    key: str
    inputs: str
    joint: str

    def touching(self, group: Sequence["Origin"]) -> "Origin":
        """Return the origin of a mask that is refined jointly with a group of which it is one."""
        key = digest(self.key.encode(), *(one.key.encode() for one in group))
        return Origin(key, self.inputs, digest(self.inputs.encode(), *(one.inputs.encode() for one in group)))


def origin_of(run: str, photograph: str, coarse: Boxed) -> Origin:
    """Return the origin of a mask that touches no other; parameters as of `mask_key`."""
    inputs = mask_key("", photograph, coarse)
    return Origin(mask_key(run, photograph, coarse), inputs, inputs)


def mask_key(run: str, photograph: str, coarse: Boxed) -> str:
    """Digest a coarse mask of bools and its photograph's digest, and what else the result depends on, ``run``."""
    coarse = coarse.tight()
    place = repr((coarse.size, tuple(coarse.box)))
    return digest(run.encode(), photograph.encode(), place.encode(), np.packbits(coarse.pixels).tobytes())


def digest(*strings: bytes) -> str:
    """Digest several byte strings, which cannot be confused with others that read the same in a row."""
    total = _new_digest()
    for part in strings:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()


def digest_data(data: Data) -> str:
    """Digest what a file is to hold, in parts or whole, as `digest` does one byte string."""
    total = _new_digest()
    total.update(sum(map(len, parts(data))).to_bytes(8, "big"))
    for part in parts(data):
        total.update(part)
    return total.hexdigest()


def digest_file(path: Path) -> str | None:
    """Digest a file as `digest` does its bytes, without having them in memory; None where there is no such file."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            total = _new_digest()
            total.update(status.st_size.to_bytes(8, "big"))
            return total.hexdigest() if _update(total, file) == status.st_size else None
    except (OSError, ValueError):
        return None


def digest_line(path: Path) -> str | None:
    """Digest the first line of a file; None where there is no such file, or no end of a line is near."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            line = file.readline(_CHUNK) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except (OSError, ValueError):
        return None
    return digest(line) if line.endswith(b"\n") else None


def _new_digest() -> Any:
    return hashlib.blake2b(digest_size=20)


def _update(total: Any, file: BinaryIO) -> int:
    length = 0
    while data := file.read(_CHUNK):
        total.update(data)
        length += len(data)
    return length
