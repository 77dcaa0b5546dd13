"""LabelMe: a JSON file for each photograph, with shapes; or a folder of them.

Polygons and masks (``shape_type`` ``polygon`` and ``mask``) are items; rectangles, circles, lines, points and what is
``locked`` stay as they are, and so do ``imageData`` and every ``group_id``. A changed polygon stays one polygon, with
bridges to its holes and parts (`bridges` says what that loses); a changed mask is a PNG of its own box, with the box in
``points``.
"""

import base64
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
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
from spnrefine.annotations.outlines import check_in_pixels, check_points
from spnrefine.annotations.photograph_names import Photographs, of_stem
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from spnrefine.files.opening import decode

OPENED: dict[str, Any] = {"shapes": [{}]}


def is_labelme(value: Any) -> bool:
    """Tell LabelMe by its list of shapes and what it says of its image."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("shapes"), list)
        and any(key in value for key in ("imagePath", "imageData", "imageHeight"))
    )


def open_labelme(
    path: Path, text: str, value: Any, photographs: Photographs, location: Path, *, tolerance: float
) -> TextFile:
    """Open LabelMe's ``value``, parsed from ``text`` with `OPENED`.

    Parameters
    ----------
    path : relative to the document; also what the items are named after.
    photographs : where they are looked for; ``imagePath`` is relative to the JSON file's own folder.
    location : of the file itself, which holds the photograph where that is not found and ``imageData`` is there.
    """
    items: list[Item] = []
    stated = (value.get("imageHeight"), value.get("imageWidth"))
    names = [name for name in (value.get("imagePath"),) if isinstance(name, str) and name]
    names += of_stem(path.stem)  # LabelMe names its file after the photograph
    photographs.mention(names)
    for position, shape in enumerate(value["shapes"]):
        if not isinstance(shape, Spanned) or shape.get("shape_type", "polygon") not in ("polygon", "mask"):
            continue
        if shape.get("locked") is True:
            continue
        name = f"{path.as_posix()}#{position}"
        photograph, problem = photographs.find(name, names)
        embedded = value.get("imageData") if problem else None
        if isinstance(embedded, str) and embedded:
            photograph, problem = location, None
        else:
            embedded = None
        kind = _MaskShape if shape.get("shape_type") == "mask" else _Polygon
        own: dict[str, Any] = {"held": shape, "text": text, "stated": stated, "tolerance": tolerance}
        items.append(kind(name, photograph, problem, embedded=embedded, category=called(shape.get("label")), **own))
    open_shapes = [shape for shape in value["shapes"] if not isinstance(shape, dict) or shape.get("locked") is not True]
    return TextFile(path, text, items, objects=len(open_shapes))


class _Polygon(JsonItem):
    def _decode(self, size: Size) -> Boxed:
        check_size(self.name, self.stated, size)
        points = check_points(self.name, pairs(self.name, self.found.get("points")), size)
        check_in_pixels(self.name, [points], size)
        return fill(points, size, grid=Grid.CENTRES)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        yield self._edit("points", join(trace(mask, tolerance=self.tolerance, grid=Grid.CENTRES)).tolist())


class _MaskShape(JsonItem):
    def _decode(self, size: Size) -> Boxed:
        check_size(self.name, self.stated, size)
        picture = self._picture()
        points = pairs(self.name, self.found.get("points"))
        if len(points) != 2:
            raise FileError(f"{self.name} is a mask with {len(points)} points, not the 2 of its box: export it again.")
        left, top = (int(number) for number in points[0].round())
        height, width = picture.shape
        if (points == np.trunc(points)).all():  # else the box was rounded by itself, and the picture says its size
            right, bottom = (int(number) for number in points[1])
            height, width = min(height, max(0, bottom - top + 1)), min(width, max(0, right - left + 1))
        there = Box(top, top + height, left, left + width)
        inside = there.cut(Box(0, size[0], 0, size[1]))
        return Boxed(size, inside, picture[inside.inside(there).slices] != 0)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "mask shape")
        top, bottom, left, right = mask.box
        value = max(int(self._picture().max()), 1)  # LabelMe writes 1; others 255
        crop = mask.pixels.astype(np.uint8) * np.uint8(value)
        buffer = io.BytesIO()
        Image.fromarray(crop).save(buffer, "PNG")
        last = [float(right - 1), float(bottom - 1)]  # the last pixel, not the one after
        yield self._edit("points", [[float(left), float(top)], last])
        yield self._edit("mask", base64.b64encode(buffer.getvalue()).decode("ascii"))

    def _picture(self) -> np.ndarray:
        encoded = self.found.get("mask")
        if not isinstance(encoded, str):
            raise FileError(f"{self.name} is a mask without a picture in base64: export it again.")
        data = decode_base64(encoded, f"{self.name} (its mask)")
        image = decode(data, f"{self.name} (its mask)").image
        pixels = np.asarray(image)
        if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.bool_):
            raise FileError(f"{self.name} has a mask of mode {image.mode}, not 8-bit gray: export it again.")
        return pixels
