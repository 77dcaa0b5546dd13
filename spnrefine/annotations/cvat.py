"""CVAT for images 1.1 and for video 1.1: one XML file of images and their shapes, or of tracks and their shapes.

Polygons and masks are items; boxes, polylines, points, ellipses, skeletons and tags stay as they are. A changed
polygon stays one polygon, with bridges of no width to its holes and parts; a changed mask gets run lengths over its
own box, row by row, the first run outside the mask.

Of tracks, the key frames are items, where the object is in the picture: the shapes between them are CVAT's own, which
it makes anew of the key frames. Frame 7's photograph is ``frame_000007`` with any extension, as CVAT exports it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from spnrefine.annotations.bridges import join
from spnrefine.annotations.items import Document, Edit, Item, Size, TextFile, check_not_empty, check_size, numbers
from spnrefine.annotations.outlines import check_in_pixels, check_points
from spnrefine.annotations.photograph_names import Photographs, of_stem
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.annotations.rle import fill_runs
from spnrefine.annotations.xml_spans import ENCODING, Element, elements, spans
from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.boxes.runs import runs_of
from spnrefine.errors import FileError

HOLDERS = ("image", "track")

_size = re.compile(r"<original_size>\s*<width>(\d{1,9})</width>\s*<height>(\d{1,9})</height>")
_whole = re.compile(r"\s*[0-9]{1,9}\s*").fullmatch
_decimal = re.compile(r"\s*[+-]?[0-9]{1,30}(\.[0-9]{0,30})?\s*").fullmatch


def open_cvat(path: Path, data: bytes, photographs: Photographs, *, tolerance: float) -> Document:
    """Open CVAT's XML; items are named after the image and the position of the shape in it, or the track and frame.

    Raises
    ------
    FileError
        The XML is damaged, or not CVAT's.
    """
    found = elements(data, str(path))
    if not found or found[0].tag != "annotations":
        raise FileError(f"{path} is XML, but not CVAT's: export it as 'CVAT for images 1.1'.")
    if not any(element.tag in HOLDERS for element in found):
        raise FileError(f"{path} holds no images and no tracks: export it as 'CVAT for images 1.1'.")
    text = data.decode(ENCODING)
    file = TextFile(Path(path.name), text, encoding=ENCODING)
    tasks = {element.attributes.get("task_id") for element in found if element.tag == "track"}
    sizes = set(_size.findall(text))  # of several tasks, no frame says which is its own
    frames = dict(zip(("width", "height"), sizes.pop(), strict=True)) if len(sizes) == 1 else {}
    holder: Element | None = None
    position = -1
    for element in found:
        if element.depth == 1:
            holder, position = element if element.tag in HOLDERS else None, -1
            if element.tag == "image" and element.attributes.get("name"):
                photographs.mention([element.attributes["name"]])
        if element.depth != 2 or holder is None:
            continue
        position += 1
        file.objects += 1
        if element.tag not in ("polygon", "mask"):
            continue
        drawn = _in_image(holder, position) if holder.tag == "image" else _in_track(holder, element, frames)
        if drawn is None:
            continue
        name = f"{path.name}#{drawn.name}"
        photograph, problem = photographs.find(name, drawn.photographs)
        if holder.tag == "track" and len(tasks) > 1:
            problem = f"{name} is of one of {len(tasks)} tasks, whose frames have equal names: export each by itself."
        kind = _Polygon if element.tag == "polygon" else _MaskShape
        category = (element if holder.tag == "image" else holder).attributes.get("label")
        own: dict[str, Any] = {"element": element, "image": drawn.size, "text": text, "tolerance": tolerance}
        file.items.append(kind(name, photograph, problem, category=category, **own))
    return Document(path, "CVAT", [file])


class _Drawn(NamedTuple):
    """What a shape was drawn on: its name in the file, what its photograph may be called, and width and height."""

    name: str
    photographs: list[str]
    size: dict[str, str]


def _in_image(image: Element, position: int) -> _Drawn:
    called = image.attributes.get("name", "")
    return _Drawn(f"{called}/{position}", [called or "(none named)"], image.attributes)


def _in_track(track: Element, shape: Element, size: dict[str, str]) -> _Drawn | None:
    """Return the frame of a track's shape; None where it is no key frame, or the object is out of the picture."""
    if shape.attributes.get("keyframe") == "0" or shape.attributes.get("outside") == "1":
        return None
    frame = shape.attributes.get("frame", "")
    number = int(frame) if _whole(frame) else 0
    return _Drawn(f"track {track.attributes.get('id', '?')}/frame {frame}", of_stem(f"frame_{number:06}"), size)


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
    def _decode(self, size: Size) -> Boxed:
        self._check_size(size)
        points = [point.split(",") for point in self._attribute("points").split(";")]
        if not all(len(point) == 2 and all(_decimal(word) for word in point) for point in points):
            raise FileError(f"{self.name} should hold its points as 'x,y;x,y;...' and does not: export it again.")
        flat = numbers(self.name, [float(word) for point in points for word in point])
        ring = check_points(self.name, flat.reshape(-1, 2), size)
        check_in_pixels(self.name, [ring], size)
        return fill(ring, size, grid=Grid.CORNERS)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        ring = join(trace(mask, tolerance=self.tolerance, grid=Grid.CORNERS))
        return self._edits(points=";".join(f"{x:.2f},{y:.2f}" for x, y in ring))


class _MaskShape(_Shape):
    def _decode(self, size: Size) -> Boxed:
        self._check_size(size)
        left, top, width, height = (self._whole(self._attribute(key)) for key in ("left", "top", "width", "height"))
        if left + width > size[1] or top + height > size[0]:
            where = f"{width} x {height} pixels from ({left}, {top})"
            raise FileError(f"{self.name} has a mask of {where}, which leave its photograph: export it again.")
        runs = [self._whole(run) for run in self._attribute("rle").split(",")]
        pixels = fill_runs(self.name, runs, width * height).reshape(height, width)
        return Boxed(size, Box(top, top + height, left, left + width), pixels)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "mask")
        box = mask.box
        rle = ", ".join(map(str, runs_of(Boxed.whole(mask.pixels)).tolist()))
        return self._edits(rle=rle, left=str(box.left), top=str(box.top), width=str(box.width), height=str(box.height))
