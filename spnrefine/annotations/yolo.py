"""YOLO: a folder of text files, one for each photograph, one line ``class x1 y1 x2 y2 ...`` for each object.

Coordinates are shares of the width and height. A confidence after them, as predictions have, stays. Lines with a box
(four numbers) stay as they are. A line holds one polygon, so a changed mask with holes or several parts goes out with
bridges: no part and no hole is lost, but lines one pixel wide join the parts, and read again they are one part.
Polygons are filled as Ultralytics does, by whole pixels, and written through pixel centres, so that truncating finds
the same pixels.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spnrefine.annotations.bridges import join
from spnrefine.annotations.items import BadItem, Edit, Item, Mask, Size, TextFile, check_not_empty, check_points
from spnrefine.annotations.photograph_names import find_photograph
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.errors import FileError
from spnrefine.files.stems import PHOTOGRAPHS

NOT_LABELS = {"classes.txt", "labels.txt", "labelmap.txt", "train.txt", "val.txt", "test.txt", "readme.txt"}
"""Text files that lie beside the labels; they are neither read nor written."""

_words = re.compile(r"\S+")
_class = re.compile(r"\d+(\.0*)?")  # some tools write 3.0


def is_yolo(text: str) -> bool:
    """Tell YOLO by its first line that is not blank: a class, and four numbers or more."""
    first = next((line for line in text.splitlines() if line.strip()), "").split()
    return len(first) >= 5 and bool(_class.fullmatch(first[0])) and all(_number(word) is not None for word in first)


def open_yolo(path: Path, text: str, folders: Sequence[Path], *, tolerance: float) -> TextFile:
    """Open one file of labels; items are named after the line, counted from 1.

    Parameters
    ----------
    path : relative to the document; the photograph has the same stem.
    folders : where photographs are looked for.
    """
    items: list[Item] = []
    found: tuple[Path, str | None] | None = None
    start, end = 0, 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        start, end = end, end + len(line)
        words = [(match.group(), start + match.start(), start + match.end()) for match in _words.finditer(line)]
        if not words or len(words) in (5, 6):  # blank, a box, a box and its confidence
            continue
        name = f"{path.as_posix()}#{number}"
        found = found or find_photograph(path.as_posix(), [path.stem + suffix for suffix in PHOTOGRAPHS], folders)
        values = [_number(word) for word, _, _ in words]
        if not _class.fullmatch(words[0][0]) or None in values or len(words) < 7:
            wrong = "is not a class and at least 3 points, all numbers: correct or remove the line."
            items.append(BadItem(name, found[0], f"{name} {wrong}"))
            continue
        last = 1 + (len(words) - 1) // 2 * 2  # a number left over is a confidence
        points, span = np.array(values[1:last], np.float64).reshape(-1, 2), (words[1][1], words[last - 1][2])
        items.append(_Line(name, *found, points=points, span=span, tolerance=tolerance))
    return TextFile(path, text, items)


@dataclass(eq=False, repr=False, kw_only=True)
class _Line(Item):
    """A polygon at ``span`` of the file's text: ``points`` (N, 2), shares of width and height."""

    points: np.ndarray
    span: tuple[int, int]
    tolerance: float

    def _decode(self, size: Size) -> Mask:
        if self.points.min() < -0.01 or self.points.max() > 1.01:
            raise FileError(f"{self.name} has coordinates outside 0..1, the shares of width and height: convert them.")
        # a hair more, so that six digits of a whole pixel do not fall below it
        points = np.clip(self.points, 0, 1) * size[::-1] + 1e-3
        return fill(check_points(self.name, points, size), size, grid=Grid.CENTRES)

    def _encode(self, mask: Mask) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        ring = join(trace(mask, tolerance=self.tolerance, grid=Grid.CENTRES)) / mask.shape[::-1]
        yield Edit(*self.span, " ".join(f"{number:.6f}" for number in ring.ravel()))


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in word else None
