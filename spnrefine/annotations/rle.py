"""Run lengths, alternately of background and mask, as COCO and CVAT write them; checked before they are believed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.boxed import Boxed
from spnrefine.boxes.runs import from_runs
from spnrefine.errors import FileError


def fill_runs(name: str, runs: Any, pixels: int) -> NDArray[np.bool_]:
    """Turn a list of run lengths into a flat (pixels,) bool array, or raise FileError."""
    lengths = _checked(name, runs, pixels)
    values = np.zeros(len(lengths), np.bool_)
    values[1::2] = True
    return np.repeat(values, lengths)


def lay_runs(name: str, runs: Any, size: tuple[int, int], *, by_columns: bool) -> Boxed:
    """Turn a list of run lengths of a whole picture into a mask, or raise FileError; see `from_runs`."""
    ends = np.cumsum(_checked(name, runs, size[0] * size[1]))
    begins, ends = ends[: len(ends) - 1 : 2], ends[1::2]
    there = ends > begins
    return from_runs(begins[there], ends[there], size, by_columns=by_columns)


def _checked(name: str, runs: Any, pixels: int) -> NDArray[np.int64]:
    """Return run lengths, which are alternately of background and mask, as they should be, or raise FileError."""
    if not isinstance(runs, list) or not all(type(run) is int and 0 <= run <= pixels for run in runs):
        raise FileError(f"{name} should hold a list of run lengths and does not: export it again.")
    if sum(runs) != pixels:
        raise FileError(f"{name} holds runs of {sum(runs)} pixels in all, but {pixels} are needed: export it again.")
    return np.array(runs, np.int64)


def unpack(name: str, packed: str) -> list[int]:
    """Unpack COCO's compressed run lengths.

    Six bits a character from '0' on: five of the number, low ones first, and whether more follow. From the fourth
    run on, numbers are differences to the run before last. Source: ``rleFrString`` in cocoapi's ``maskApi.c``, which
    trusts its input where this does not.
    """
    runs: list[int] = []
    number, shift = 0, 0
    for character in packed:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            break
        number |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            number -= 1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
        number, shift = 0, 0
    else:
        if shift == 0:
            return runs
    raise FileError(f"{name} holds compressed runs that are damaged or cut short: export it again.")


def box(mask: Boxed) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what a mask holds; zeros where it is empty."""
    found = mask.tight().box
    return found.left, found.top, found.width, found.height
