"""COCO: one JSON file of images and annotations; segmentations as polygons or run lengths.

A changed mask goes out

- as run lengths where it came as run lengths, compressed if it came so;
- as one polygon where it came as polygons and has one part without holes;
- else as run lengths, since a list of COCO polygons is their union and cannot hold a hole: compressed if any
  annotation of the file is, else as plain counts, the way COCO's own files hold crowds;
- with ``polygons``, always as polygons: one for each part, its holes joined to it by bridges of no width. Crowds
  too, whose ``iscrowd`` stays as it is.

``area`` and ``bbox`` follow a changed mask where they were present; they are those of what is written.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from spnrefine.annotations import rle
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
from spnrefine.annotations.json_items import JsonItem
from spnrefine.annotations.json_spans import Spanned
from spnrefine.annotations.photograph_names import Photographs
from spnrefine.annotations.polygons import Grid, trace
from spnrefine.errors import FileError, MissingExtraError

OPENED: dict[str, Any] = {"annotations": [{}]}


def is_coco(value: Any) -> bool:
    """Tell COCO by its lists of images and annotations."""
    return isinstance(value, dict) and all(isinstance(value.get(key), list) for key in ("images", "annotations"))


def open_coco(
    path: Path, text: str, value: Any, photographs: Photographs, *, polygons: bool, tolerance: float
) -> Document:
    """Open COCO's ``value``, parsed from ``text`` with `OPENED`.

    Annotations without a segmentation (boxes, keypoints, captions) are no items and stay as they are.

    Raises
    ------
    MissingExtraError
        Without pycocotools, which rasterises COCO's polygons.
    """
    if find_spec("pycocotools") is None:
        raise MissingExtraError("Reading COCO needs pycocotools: pip install 'spnrefine[coco]'.")
    images = {_key(image.get("id")): image for image in value["images"] if isinstance(image, dict)}
    masks = {
        position: found
        for position, found in enumerate(value["annotations"])
        if isinstance(found, Spanned) and found.get("segmentation")
    }
    compressed = any(_form(found["segmentation"]) == "compressed" for found in masks.values())
    ids = Counter(_key(found.get("id")) for found in masks.values())
    items: list[Item] = []
    for position, found in masks.items():
        key = _key(found.get("id"))
        named = key and ids[key] == 1
        name = f"{path.name}#{found['id']}" if named else f"{path.name}#annotations[{position}]"
        image = images.get(_key(found.get("image_id")), {})
        if isinstance(image.get("file_name"), str) and image["file_name"]:
            photograph, problem = photographs.find(name, [image["file_name"]])
        else:
            photograph, problem = path, f"{name} belongs to no image with a file name in {path.name}: export it again."
        items.append(
            _CocoItem(
                name,
                photograph,
                problem,
                found=found,
                text=text,
                stated=(image.get("height"), image.get("width")),
                tolerance=tolerance,
                polygons=polygons,
                compressed=compressed,
            )
        )
    return Document(path, "COCO", [TextFile(Path(path.name), text, items, objects=len(value["annotations"]))])


@dataclass(eq=False, repr=False, kw_only=True)
class _CocoItem(JsonItem):
    """An annotation; ``polygons`` asks for these always, ``compressed`` tells if run lengths in its file are."""

    polygons: bool
    compressed: bool

    def _decode(self, size: Size) -> Mask:
        check_size(self.name, self.stated, size)
        segmentation = self.found["segmentation"]
        if isinstance(segmentation, list):
            return self._rasterise(segmentation, size)
        if not isinstance(segmentation, dict):
            raise FileError(
                f"{self.name} has a segmentation that is neither polygons nor run lengths: export it again."
            )
        stated = segmentation.get("size")
        if not isinstance(stated, list) or len(stated) != 2:
            raise FileError(f"{self.name} has run lengths without a size of [height, width]: export it again.")
        check_size(self.name, (stated[0], stated[1]), size)
        counts = segmentation.get("counts")
        runs = rle.unpack(self.name, counts) if isinstance(counts, str) else counts
        return self._columns(runs, size)

    def _encode(self, mask: Mask) -> Iterable[Edit]:
        segmentation = self._segmentation(mask)
        written = self._rasterise(segmentation, mask.shape) if isinstance(segmentation, list) else mask
        yield self._edit("segmentation", segmentation)
        if "area" in self.found:
            yield self._edit("area", self._like("area", [int(written.sum())])[0])
        if "bbox" in self.found:
            yield self._edit("bbox", self._like("bbox", rle.box(written)))

    def _segmentation(self, mask: Mask) -> list[list[float]] | dict[str, Any]:
        form = _form(self.found["segmentation"])
        if self.polygons:
            check_not_empty(self.name, mask, "polygon")
        if self.polygons or form == "polygons":
            parts = trace(mask, tolerance=self.tolerance, grid=Grid.CORNERS)
            if self.polygons or (len(parts) == 1 and not parts[0].holes):
                return [join([part]).round(2).ravel().tolist() for part in parts]
        if form == "compressed" or (form == "polygons" and self.compressed):
            from pycocotools import mask as tool

            counts: Any = tool.encode(np.asfortranarray(mask, np.uint8))["counts"].decode("ascii")
        else:
            counts = rle.runs_of(mask.ravel(order="F")).tolist()
        return {"size": list(mask.shape), "counts": counts}

    def _rasterise(self, polygons: list[Any], size: Size) -> Mask:
        """Fill the union of polygons as COCO's own tool does."""
        from pycocotools import mask as tool

        for polygon in polygons:
            flat = numbers(self.name, polygon)
            if len(flat) % 2:
                raise FileError(f"{self.name} has a polygon with an x too many: correct or remove it.")
            check_points(self.name, flat.reshape(-1, 2), size)
        union = tool.merge(tool.frPyObjects(polygons, *size))
        return self._columns(rle.unpack(self.name, union["counts"].decode("ascii")), size)

    def _columns(self, runs: Any, size: Size) -> Mask:
        """Lay runs down the columns, as COCO's go."""
        height, width = size
        columns = rle.fill_runs(self.name, runs, height * width).reshape(width, height)
        return np.ascontiguousarray(columns.T)

    def _like(self, key: str, values: Sequence[int]) -> list[float]:
        """Write numbers as integers only where the file has integers."""
        whole = not any(mark in self.text[slice(*self.found.spans[key])] for mark in ".eE")
        return list(values) if whole else [float(value) for value in values]


def _form(segmentation: Any) -> str:
    if isinstance(segmentation, dict):
        return "compressed" if isinstance(segmentation.get("counts"), str) else "counts"
    return "polygons"


def _key(identity: Any) -> str:
    """Make an id a key: 1 and "1" are two ids, and what is neither number nor text is none."""
    return repr(identity) if isinstance(identity, int | float | str) else ""
