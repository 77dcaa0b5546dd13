"""Run lengths, alternately of background and mask, as COCO and CVAT write them; checked before they are believed."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.items import Mask
from spnrefine.errors import FileError

Runs = NDArray[np.int64]
"""(N,) lengths of runs; the first, of background, may be 0."""


def runs_of(flat: Mask) -> Runs:
    """Measure the runs of a flat (N,) bool array."""
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], changes, [len(flat)]]))
    return np.concatenate([[0], runs]) if len(flat) and flat[0] else runs


def fill_runs(name: str, runs: Any, pixels: int) -> Mask:
    """Turn a list of run lengths into a flat (pixels,) bool array, or raise FileError."""
    if not isinstance(runs, list) or not all(type(run) is int and 0 <= run <= pixels for run in runs):
        raise FileError(f"{name} should hold a list of run lengths and does not: export it again.")
    if sum(runs) != pixels:
        raise FileError(f"{name} holds runs of {sum(runs)} pixels in all, but {pixels} are needed: export it again.")
    values = np.zeros(len(runs), np.bool_)
    values[1::2] = True
    return np.repeat(values, np.array(runs, np.int64))


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


def box(mask: Mask) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what a mask holds; zeros where it is empty."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return left, top, width, height
