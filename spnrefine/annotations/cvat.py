"""CVAT for images 1.1: one XML file of images and their shapes.

Polygons and masks are items; boxes, polylines, points, ellipses, skeletons and tags stay as they are. A changed
polygon stays one polygon, with bridges of no width to its holes and parts; a changed mask gets run lengths over its
own box, row by row, the first run outside the mask.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spnrefine.annotations.bridges import join
from spnrefine.annotations.items import (
    Document,
    Edit,
    Item,
    Mask,
    Size,
    TextFile,
    check_not_empty,
    check_points,
    check_size,
    numbers,
)
from spnrefine.annotations.photograph_names import Photographs
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.annotations.rle import box, fill_runs, runs_of
from spnrefine.annotations.xml_spans import ENCODING, Element, elements, spans
from spnrefine.errors import FileError

_whole = re.compile(r"\s*[0-9]{1,9}\s*").fullmatch
_decimal = re.compile(r"\s*[+-]?[0-9]{1,30}(\.[0-9]{0,30})?\s*").fullmatch


def open_cvat(path: Path, data: bytes, photographs: Photographs, *, tolerance: float) -> Document:
    """Open CVAT's XML; items are named after the image and the position of the shape in it.

    Raises
    ------
    FileError
        The XML is damaged, or not that of CVAT for images.
    """
    found = elements(data, str(path))
    if not found or found[0].tag != "annotations":
        raise FileError(f"{path} is XML, but not CVAT's: export it as 'CVAT for images 1.1'.")
    if not any(element.tag == "image" for element in found):
        raise FileError(f"{path} holds no images: export it as 'CVAT for images 1.1', not for video.")
    text = data.decode(ENCODING)
    items: list[Item] = []
    image: dict[str, str] = {}
    position = -1
    for element in found:
        if element.tag == "image" and element.depth == 1:
            image, position = element.attributes, -1
        if element.depth != 2 or not image:
            continue
        position += 1
        if element.tag not in ("polygon", "mask"):
            continue
        called = image.get("name", "")
        name = f"{path.name}#{called}/{position}"
        photograph, problem = photographs.find(name, [called or "(none named)"])
        kind = _Polygon if element.tag == "polygon" else _MaskShape
        items.append(kind(name, photograph, problem, element=element, image=image, text=text, tolerance=tolerance))
    return Document(path, "CVAT", [TextFile(Path(path.name), text, items, ENCODING, sum(e.depth == 2 for e in found))])


@dataclass(eq=False, repr=False, kw_only=True)
class _Shape(Item):
    """A shape of ``text``: its ``element`` there, and the attributes of its ``image``'s."""

    element: Element
    image: dict[str, str]
    text: str
    tolerance: float

    def _check_size(self, size: Size) -> None:
        stated = [self.image.get(key) for key in ("height", "width")]
        check_size(self.name, tuple(None if text is None else self._whole(text) for text in stated), size)  # type: ignore[arg-type]

    def _whole(self, text: str) -> int:
        if not _whole(text):
            raise FileError(f"{self.name} has {text[:20]!r} where a whole number should be: export it again.")
        return int(text)

    def _attribute(self, key: str) -> str:
        if key not in self.element.attributes:
            raise FileError(f"{self.name} lacks its {key}: export it again.")
        return self.element.attributes[key]

    def _edits(self, **values: str) -> Iterable[Edit]:
        where = spans(self.text, self.element)
        return [Edit(*where[key], value) for key, value in values.items()]


class _Polygon(_Shape):
    def _decode(self, size: Size) -> Mask:
        self._check_size(size)
        points = [point.split(",") for point in self._attribute("points").split(";")]
        if not all(len(point) == 2 and all(_decimal(word) for word in point) for point in points):
            raise FileError(f"{self.name} should hold its points as 'x,y;x,y;...' and does not: export it again.")
        flat = numbers(self.name, [float(word) for point in points for word in point])
        return fill(check_points(self.name, flat.reshape(-1, 2), size), size, grid=Grid.CORNERS)

    def _encode(self, mask: Mask) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        ring = join(trace(mask, tolerance=self.tolerance, grid=Grid.CORNERS))
        return self._edits(points=";".join(f"{x:.2f},{y:.2f}" for x, y in ring))


class _MaskShape(_Shape):
    def _decode(self, size: Size) -> Mask:
        self._check_size(size)
        left, top, width, height = (self._whole(self._attribute(key)) for key in ("left", "top", "width", "height"))
        if left + width > size[1] or top + height > size[0]:
            where = f"{width} x {height} pixels from ({left}, {top})"
            raise FileError(f"{self.name} has a mask of {where}, which leave its photograph: export it again.")
        runs = [self._whole(run) for run in self._attribute("rle").split(",")]
        mask = np.zeros(size, np.bool_)
        mask[top : top + height, left : left + width] = fill_runs(self.name, runs, width * height).reshape(
            height, width
        )
        return mask

    def _encode(self, mask: Mask) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "mask")
        left, top, width, height = box(mask)
        runs = runs_of(mask[top : top + height, left : left + width].ravel())
        rle = ", ".join(map(str, runs.tolist()))
        return self._edits(rle=rle, left=str(left), top=str(top), width=str(width), height=str(height))
