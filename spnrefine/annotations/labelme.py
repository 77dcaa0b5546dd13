"""LabelMe: a JSON file for each photograph, with shapes; or a folder of them.

Polygons and masks (``shape_type`` ``polygon`` and ``mask``) are items; rectangles, circles, lines and points stay as
they are, and so do ``imageData`` and every ``group_id``. A changed polygon stays one polygon, with bridges to its holes
and parts (`bridges` says what that loses); a changed mask is a PNG of its own box, with the box in ``points``.
"""

import base64
import binascii
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
    Mask,
    Size,
    TextFile,
    check_not_empty,
    check_points,
    check_size,
    pairs,
)
from spnrefine.annotations.json_items import JsonItem
from spnrefine.annotations.json_spans import Spanned
from spnrefine.annotations.photograph_names import Photographs, of_stem
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.annotations.rle import box
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


def open_labelme(path: Path, text: str, value: Any, photographs: Photographs, *, tolerance: float) -> TextFile:
    """Open LabelMe's ``value``, parsed from ``text`` with `OPENED`.

    Parameters
    ----------
    path : relative to the document; also what the items are named after.
    photographs : where they are looked for; ``imagePath`` is relative to the JSON file's own folder.
    """
    items: list[Item] = []
    stated = (value.get("imageHeight"), value.get("imageWidth"))
    names = [name for name in (value.get("imagePath"),) if isinstance(name, str) and name]
    names += of_stem(path.stem)  # LabelMe names its file after the photograph
    for position, shape in enumerate(value["shapes"]):
        if not isinstance(shape, Spanned) or shape.get("shape_type", "polygon") not in ("polygon", "mask"):
            continue
        name = f"{path.as_posix()}#{position}"
        photograph, problem = photographs.find(name, names)
        kind = _MaskShape if shape.get("shape_type") == "mask" else _Polygon
        items.append(kind(name, photograph, problem, found=shape, text=text, stated=stated, tolerance=tolerance))
    return TextFile(path, text, items, objects=len(value["shapes"]))


class _Polygon(JsonItem):
    def _decode(self, size: Size) -> Mask:
        check_size(self.name, self.stated, size)
        points = check_points(self.name, pairs(self.name, self.found.get("points")), size)
        return fill(points, size, grid=Grid.CENTRES)

    def _encode(self, mask: Mask) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        yield self._edit("points", join(trace(mask, tolerance=self.tolerance, grid=Grid.CENTRES)).tolist())


class _MaskShape(JsonItem):
    def _decode(self, size: Size) -> Mask:
        check_size(self.name, self.stated, size)
        picture = self._picture()
        points = pairs(self.name, self.found.get("points"))
        if len(points) != 2:
            raise FileError(f"{self.name} is a mask with {len(points)} points, not the 2 of its box: export it again.")
        left, top = (int(number) for number in points[0])
        height, width = picture.shape
        if left < 0 or top < 0 or left + width > size[1] or top + height > size[0]:
            where = f"{width} x {height} pixels from ({left}, {top})"
            raise FileError(f"{self.name} has a mask of {where}, which leave its photograph: export it again.")
        mask = np.zeros(size, np.bool_)
        mask[top : top + height, left : left + width] = picture != 0
        return mask

    def _encode(self, mask: Mask) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "mask shape")
        left, top, width, height = box(mask)
        value = max(int(self._picture().max()), 1)  # LabelMe writes 1; others 255
        crop = mask[top : top + height, left : left + width].astype(np.uint8) * np.uint8(value)
        buffer = io.BytesIO()
        Image.fromarray(crop).save(buffer, "PNG")
        right, bottom = left + width - 1, top + height - 1  # the last pixels, not the ones after
        yield self._edit("points", [[float(left), float(top)], [float(right), float(bottom)]])
        yield self._edit("mask", base64.b64encode(buffer.getvalue()).decode("ascii"))

    def _picture(self) -> np.ndarray:
        encoded = self.found.get("mask")
        if not isinstance(encoded, str):
            raise FileError(f"{self.name} is a mask without a picture in base64: export it again.")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise FileError(f"{self.name} has a mask that is not whole base64 ({error}): export it again.") from error
        image = decode(data, f"{self.name} (its mask)").image
        pixels = np.asarray(image)
        if pixels.ndim != 2 or pixels.dtype not in (np.uint8, np.bool_):
            raise FileError(f"{self.name} has a mask of mode {image.mode}, not 8-bit gray: export it again.")
        return pixels
