"""The classes of a label map: their names, and the ids that stand for them in the files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError
from spnrefine.files.labelmaps import MOST_SHOWN, is_byte
from spnrefine.files.limits import Content
from spnrefine.files.opening import read_bytes
from spnrefine.files.truth import LabelTruth

VOID = 255
"""The number of pixels that do not count."""


@dataclass(frozen=True)
class Classes:
    """``names`` of the classes, background first; ``ids`` that the files hold for each, all others are void.

    ``groups`` are names of classes that are also measured together.
    """

    names: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def mapping(self) -> NDArray[np.uint8]:
        """(256,): from an id in a file to the number of its class."""
        mapping = np.full(256, VOID, np.uint8)
        for number, ids in enumerate(self.ids):
            mapping[list(ids)] = number
        return mapping

    def numbers(self, truth: LabelTruth) -> NDArray[np.uint8]:
        """Turn the ids of a label map (H, W) into the numbers of their classes; all others, and void, are `VOID`."""
        ids = truth.ids
        known = (ids >= 0) & (ids < len(self.mapping)) & ~truth.void
        return np.where(known, self.mapping[np.where(known, ids, 0)], np.uint8(VOID))

    @classmethod
    def numbered(cls, count: int) -> "Classes":
        """Return ids 0 to ``count`` - 1, each a class of its own.

        Raises
        ------
        FileError
            Too many for numbers of 8 bits.
        """
        if count > VOID:
            raise FileError(
                f"The label maps hold ids up to {count - 1}: expected at most {VOID - 1}, or a file of --classes that "
                "names those that count."
            )
        return cls(("background", *(f"class {n}" for n in range(1, count))), tuple((n,) for n in range(count)))


def read_classes(path: Path) -> Classes:
    """Read lines of ``name: id id ...``, background first, and ``group = name, name ...``; ``#`` begins a comment.

    Raises
    ------
    FileError
        Unreadable, a line is none of these, or an id stands twice.
    """
    try:
        lines = read_bytes(path, Content.SMALL).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise FileError(f"{path} cannot be read ({error}): expected a text file of classes.") from None
    names: list[str] = []
    ids: list[tuple[int, ...]] = []
    groups: list[tuple[str, tuple[str, ...]]] = []
    for line in (line.partition("#")[0].strip() for line in lines):
        if not line:
            continue
        if "=" in line:
            group, _, members = line.partition("=")
            groups.append((group.strip(), tuple(member.strip() for member in members.split(","))))
            continue
        name, _, numbers = line.rpartition(":")
        if not name or not numbers.split() or not all(map(is_byte, numbers.split())):
            raise FileError(f"{path} has the line {line[:MOST_SHOWN]!r}: expected 'name: id id ...', each id 0 to 255.")
        names.append(name.strip())
        ids.append(tuple(int(n) for n in numbers.split()))
    flat = [number for each in ids for number in each]
    if len(names) < 2 or len(set(flat)) < len(flat) or len(set(names)) < len(names):
        raise FileError(
            f"{path} names one class or none, or repeats a name or id: expected at least two, each name and id once."
        )
    for group, of in groups:
        if not set(of) <= set(names):
            raise FileError(f"{path} groups {', '.join(of)} as {group}: expected names of its classes.")
    return Classes(tuple(names), tuple(ids), tuple(groups))
