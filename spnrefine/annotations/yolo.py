"""YOLO: a folder of text files, one for each photograph, one line ``class x1 y1 x2 y2 ...`` for each object.

Coordinates are shares of the width and height. A confidence and a track's id after them, as predictions have, stay.
Lines with a box (four numbers), oriented boxes and poses stay as they are. A line holds one polygon, so a changed mask
with holes or several parts goes out with bridges: no part and no hole is lost, but lines one pixel wide join the parts,
and read again they are one part. Polygons are filled as Ultralytics does, by whole pixels, and written through pixel
centres, so that truncating finds the same pixels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spnrefine.annotations.bridges import join
from spnrefine.annotations.items import BadItem, Edit, Item, Size, TextFile, check_not_empty
from spnrefine.annotations.outlines import check_points
from spnrefine.annotations.photograph_names import Photographs, of_stem
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.annotations.yolo_lines import BOX, Kind, Line
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError

NOT_LABELS = {"classes.txt", "labels.txt", "labelmap.txt", "train.txt", "val.txt", "test.txt", "readme.txt"}
"""Text files that lie beside the labels; they are neither read nor written."""


def open_yolo(
    path: Path, text: str, lines: Sequence[Line], kind: Kind, photographs: Photographs, *, tolerance: float
) -> TextFile:
    """Open one file of labels; items are named after the line, counted from 1.

    Parameters
    ----------
    path : relative to the document; the photograph has the same stem.
    lines : those of ``text``.
    kind : what all lines of the document are.
    photographs : where they are looked for.
    """
    items: list[Item] = []
    photographs.mention(of_stem(path.stem))
    for line in lines:
        if len(line.coordinates) == BOX or (kind is not Kind.POLYGONS and line.values is not None):
            continue
        name = f"{path.as_posix()}#{line.number}"
        found = photographs.find(name, of_stem(path.stem))
        if line.values is None or len(line.coordinates) < 6:
            wrong = "is not a class and at least 3 points, all numbers: correct or remove the line."
            items.append(BadItem(name, found[0], f"{name} {wrong}"))
            continue
        points = line.coordinates.reshape(-1, 2)
        span = (line.spans[1][0], line.spans[len(line.coordinates)][1])
        category = text[slice(*line.spans[0])]
        items.append(_Line(name, *found, category=category, points=points, span=span, tolerance=tolerance))
    return TextFile(path, text, items, objects=len(lines))


@dataclass(eq=False, repr=False, kw_only=True)
class _Line(Item):
    """A polygon at ``span`` of the file's text: ``points`` (N, 2), shares of width and height."""

    points: np.ndarray
    span: tuple[int, int]
    tolerance: float

    def _decode(self, size: Size) -> Boxed:
        if self.points.min() < -0.01 or self.points.max() > 1.01:
            raise FileError(f"{self.name} has coordinates outside 0..1, the shares of width and height: convert them.")
        # a hair more, so that six digits of a whole pixel do not fall below it
        points = np.clip(self.points, 0, 1) * size[::-1] + 1e-3
        return fill(check_points(self.name, points, size), size, grid=Grid.CENTRES)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        ring = join(trace(mask, tolerance=self.tolerance, grid=Grid.CENTRES)) / mask.size[::-1]
        yield Edit(*self.span, " ".join(f"{number:.6f}" for number in ring.ravel()))
