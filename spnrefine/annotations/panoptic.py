"""COCO panoptic: one JSON file of images and their segments, and a PNG for each image, whose colours are their ids.

The PNGs lie in a folder named after the JSON file, or beside it; refined, they go into a folder named after the refined
JSON file. All segments are items. ``area`` and ``bbox`` follow a changed mask where they were present.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations import rle
from spnrefine.annotations.coco import Images, is_coco
from spnrefine.annotations.coco_brief import brief
from spnrefine.annotations.items import Document, Edit, Item, Size, TextFile, check_not_empty, check_size
from spnrefine.annotations.json_items import JsonItem
from spnrefine.annotations.json_spans import Kept, Spanned
from spnrefine.annotations.panoptic_map import VOID, PanopticMap
from spnrefine.annotations.photograph_names import Photographs, is_within
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from spnrefine.files.regular import is_file

OPENED: dict[str, Any] = {"annotations": [Kept({"segments_info": [{}]}, brief)]}


def is_panoptic(value: Any) -> bool:
    """Tell COCO panoptic from COCO by the segments of its annotations."""
    return is_coco(value) and any(
        isinstance(found, dict) and isinstance(found.get("segments_info"), list) for found in value["annotations"]
    )


def open_panoptic(path: Path, text: str, value: Any, photographs: Photographs) -> Document:
    """Open COCO panoptic's ``value``, parsed from ``text`` with `OPENED`.

    Items are named after their PNG and segment.
    """
    images = Images(path, value, None, photographs)
    items: list[Item] = []
    maps: dict[str, PanopticMap] = {}
    for position, found in enumerate(value["annotations"]):
        segments = found.get("segments_info") if isinstance(found, Spanned) else None
        if not isinstance(found, Spanned) or not isinstance(segments, list):
            continue
        called = _png_name(found) or f"[{position}]"
        png = maps.setdefault(called, PanopticMap(Path(path.stem) / called, _png(path, called)))
        for number, segment in enumerate(segments):
            if not isinstance(segment, Spanned):
                continue
            identity = segment["id"] if type(segment.get("id")) is int else VOID
            name = f"{path.name}#{called}/{identity or f'[{number}]'}"
            photograph, problem, stated = images.find(name, found)
            if not _is_there(png.source, path):
                where = f"which does not exist, or leads out of the folder of {path.name}"
                problem = f"{name} is a segment of {png.source}, {where}: put the PNG itself there."
            elif not VOID < identity < 1 << 24:
                problem = f"{name} has no id that a colour can have: export it again."
            own: dict[str, Any] = {"held": segment, "text": text, "stated": stated, "tolerance": 0.0}
            own |= {"category": images.category(segment), "crowd": segment.get("iscrowd") == 1}
            items.append(_Segment(name, photograph, problem, png=png, number=identity, **own))
    there = [png for png in maps.values() if _is_there(png.source, path)]
    return Document(path, "COCO panoptic", [_PanopticFile(Path(path.name), text, items, objects=len(items)), *there])


@dataclass(eq=False, repr=False, kw_only=True)
class _Segment(JsonItem):
    """A segment of ``png``; what is written of it in the JSON text waits for what becomes of its neighbours."""

    png: PanopticMap
    number: int

    def write(self, mask: Boxed) -> None:
        self.png.put(self.number, None)
        super().write(mask)

    def forget(self) -> None:
        self.png.forget()

    def settle(self, ids: NDArray[np.int32]) -> None:
        """Let ``area`` and ``bbox`` be those of this segment among refined ids (H, W)."""
        mask = self.png.among(ids, self.number)
        self.edits = (
            *([self.edit_like("area", [mask.area])] if "area" in self.found else []),
            *([self.edit_like("bbox", rle.box(mask))] if "bbox" in self.found else []),
        )

    def _decode(self, size: Size) -> Boxed:
        check_size(self.name, self.stated, size)
        check_size(self.name, self.png.ids().shape, size)
        mask = self.png.mask(self.number)
        if mask is None:
            raise FileError(f"{self.name} has no pixel in {self.png.source}: export it again.")
        return mask

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "segment")
        self.png.put(self.number, mask)
        return ()


class _PanopticFile(TextFile):
    def patched(self) -> bytes:
        changed = [item for item in self.items if isinstance(item, _Segment) and item.png.changes(item.number)]
        for png, segments in groupby(changed, lambda item: item.png):  # a PNG's segments follow each other
            ids = png.refined()
            png.forget()
            for segment in segments:
                segment.settle(ids)
        return super().patched()


def _png_name(found: Spanned) -> str:
    """Return the name of an annotation's PNG; none that leads out of its folder."""
    name = found.get("file_name")
    if not isinstance(name, str) or not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        return ""
    return name


def _png(path: Path, name: str) -> Path:
    """Return where a PNG is, or would be."""
    places = [path.parent / path.stem / name, path.parent / name]
    return next((place for place in places if _is_there(place, path)), places[0])


def _is_there(png: Path, path: Path) -> bool:
    return is_file(png) and is_within(png, [path.parent])
