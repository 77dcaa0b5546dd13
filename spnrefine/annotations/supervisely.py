"""Supervisely: a JSON file for each photograph, in a folder ``ann`` beside the photographs' ``img``.

Bitmaps and polygons are items; all other figures stay as they are. A changed bitmap is a PNG of its own box, written as
Supervisely's own library writes it, with the box's corner in ``origin``. A changed polygon has one outline, with
bridges to its holes and parts; lines between parts take their pixels.
"""

import base64
import io
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spnrefine.annotations.bridges import join
from spnrefine.annotations.items import (
    Edit,
    Item,
    Size,
    TextFile,
    called,
    check_not_empty,
    check_size,
    decode_base64,
    pairs,
)
from spnrefine.annotations.json_items import JsonItem
from spnrefine.annotations.json_spans import Spanned
from spnrefine.annotations.outlines import check_points
from spnrefine.annotations.photograph_names import Photographs, of_stem
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from spnrefine.files.opening import decode

OPENED: dict[str, Any] = {"objects": [{"bitmap": {}}]}

_LARGEST = 1 << 28
"""Bytes that a picture may unpack to."""


def is_supervisely(value: Any) -> bool:
    """Tell Supervisely by its objects and the size of their picture."""
    return isinstance(value, dict) and isinstance(value.get("objects"), list) and isinstance(value.get("size"), dict)


def open_supervisely(path: Path, text: str, value: Any, photographs: Photographs, *, tolerance: float) -> TextFile:
    """Open Supervisely's ``value``, parsed from ``text`` with `OPENED`.

    Parameters
    ----------
    path : relative to the document; also what the items are named after. The photograph has its stem for a name or
        a stem.
    """
    items: list[Item] = []
    stated = (value["size"].get("height"), value["size"].get("width"))
    for position, figure in enumerate(value["objects"]):
        if not isinstance(figure, Spanned):
            continue
        bitmap = figure.get("bitmap")
        if isinstance(bitmap, Spanned):
            kind: type[JsonItem] = _Bitmap
            found = bitmap
        elif figure.get("geometryType") == "polygon":
            kind, found = _Polygon, figure
        else:
            continue
        name = f"{path.as_posix()}#{position}"
        photograph, problem = photographs.find(name, [path.stem, *of_stem(path.stem)])
        own: dict[str, Any] = {"held": found, "text": text, "stated": stated, "tolerance": tolerance}
        items.append(kind(name, photograph, problem, category=called(figure.get("classTitle")), **own))
    return TextFile(path, text, items, objects=len(value["objects"]))


class _Bitmap(JsonItem):
    def _decode(self, size: Size) -> Boxed:
        check_size(self.name, self.stated, size)
        origin = pairs(self.name, [self.found.get("origin")])
        picture = self._picture()
        (left, top), (height, width) = origin[0], picture.shape
        if left < 0 or top < 0 or left + width > size[1] or top + height > size[0]:
            where = f"{width} x {height} pixels from ({left:g}, {top:g})"
            raise FileError(f"{self.name} has a bitmap of {where}, which leave its photograph: export it again.")
        return Boxed(size, Box(int(top), int(top) + height, int(left), int(left) + width), picture)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "bitmap")
        image = Image.fromarray(mask.pixels.astype(np.uint8))
        image.putpalette([0, 0, 0, 255, 255, 255])
        buffer = io.BytesIO()
        image.save(buffer, "PNG", transparency=0, optimize=0)
        yield self._edit("data", base64.b64encode(zlib.compress(buffer.getvalue())).decode("ascii"))
        yield self._edit("origin", [mask.box.left, mask.box.top])

    def _picture(self) -> NDArray[np.bool_]:
        """Decode the PNG, compressed once more or not: its alpha, or else what is not 0."""
        encoded, name = self.found.get("data"), f"{self.name} (its bitmap)"
        if not isinstance(encoded, str):
            raise FileError(f"{self.name} has a bitmap without a picture in base64: export it again.")
        data = decode_base64(encoded, name)
        if not data.startswith(b"\x89PNG"):
            try:
                data = zlib.decompressobj().decompress(data, _LARGEST)
            except zlib.error as error:
                raise FileError(f"{name} is no PNG, compressed or not ({error}): export it again.") from error
        image = decode(data, name).image
        if "transparency" in image.info or image.mode in ("RGBA", "LA"):
            return np.asarray(image.convert("RGBA"))[..., 3] > 0
        pixels = np.atleast_3d(np.asarray(image))
        return np.asarray((pixels > 0).any(axis=2))


class _Polygon(JsonItem):
    def _decode(self, size: Size) -> Boxed:
        check_size(self.name, self.stated, size)
        points = self.found.get("points")
        if not isinstance(points, dict) or not isinstance(points.get("interior", []), list):
            raise FileError(f"{self.name} should hold its points as exterior and interior: export it again.")
        exterior, *holes = (pairs(self.name, ring) for ring in (points.get("exterior"), *points.get("interior", [])))
        mask = fill(check_points(self.name, exterior, size), size, grid=Grid.CENTRES)
        for hole in holes:
            left_out = fill(check_points(self.name, hole, size), size, grid=Grid.CENTRES).within(mask.box)
            mask = Boxed(size, mask.box, mask.pixels & ~left_out)
        return mask

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        ring = join(trace(mask, tolerance=self.tolerance, grid=Grid.CENTRES))
        yield self._edit("points", {"exterior": ring.astype(int).tolist(), "interior": []})
