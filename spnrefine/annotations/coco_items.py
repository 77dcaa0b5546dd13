"""COCO's segmentations, polygons or run lengths, as masks.

A changed mask goes out

- as run lengths where it came as run lengths, compressed if it came so;
- as one polygon where it came as polygons and has one part without holes;
- else as run lengths, since a list of COCO polygons is their union and cannot hold a hole: compressed if any
  annotation of the file is, else as plain counts, the way COCO's own files hold crowds;
- with ``polygons``, always as polygons: one for each part, or several where it has holes, cut through them. Crowds
  too, whose ``iscrowd`` stays as it is.

``area`` and ``bbox`` follow a changed mask where they were present; they are those of what is written.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from spnrefine.annotations import rle
from spnrefine.annotations.items import Edit, Size, check_not_empty, check_size, numbers
from spnrefine.annotations.json_items import JsonItem
from spnrefine.annotations.outlines import check_in_pixels, check_length, check_points
from spnrefine.annotations.pieces import pieces
from spnrefine.annotations.polygons import Grid, trace
from spnrefine.boxes.boxed import Boxed
from spnrefine.boxes.runs import runs_of
from spnrefine.errors import FileError


@dataclass(eq=False, repr=False, kw_only=True)
class CocoItem(JsonItem):
    """An annotation; ``polygons`` asks for these always, ``compressed`` tells if run lengths in its file are."""

    polygons: bool
    compressed: bool

    def _decode(self, size: Size) -> Boxed:
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

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        segmentation = self._segmentation(mask)
        written = self._rasterise(segmentation, mask.size).tight() if isinstance(segmentation, list) else mask
        yield self._edit("segmentation", segmentation)
        if "area" in self.found:
            yield self.edit_like("area", [written.area])
        if "bbox" in self.found:
            yield self.edit_like("bbox", rle.box(written))

    def _segmentation(self, mask: Boxed) -> list[list[float]] | dict[str, Any]:
        form = form_of(self.found["segmentation"])
        if self.polygons:
            check_not_empty(self.name, mask, "polygon")
            return [ring.round(2).ravel().tolist() for ring in pieces(mask, tolerance=self.tolerance)]
        if form == "polygons":
            parts = trace(mask, tolerance=self.tolerance, grid=Grid.CORNERS)
            if len(parts) == 1 and not parts[0].holes:
                return [parts[0].outer.round(2).ravel().tolist()]
        counts: Any = runs_of(mask, by_columns=True).tolist()
        if form == "compressed" or (form == "polygons" and self.compressed):
            from pycocotools import mask as tool

            counts = tool.frPyObjects({"size": list(mask.size), "counts": counts}, *mask.size)["counts"].decode("ascii")
        return {"size": list(mask.size), "counts": counts}

    def _rasterise(self, polygons: list[Any], size: Size) -> Boxed:
        """Fill the union of polygons as COCO's own tool does; stray points and lines beside polygons take nothing."""
        from pycocotools import mask as tool

        polygons = [ring for ring in polygons if not isinstance(ring, list) or len(ring) not in (2, 4)] or polygons
        rings = []
        for polygon in polygons:
            flat = numbers(self.name, polygon)
            if len(flat) % 2:
                raise FileError(f"{self.name} has a polygon with an x too many: correct or remove it.")
            rings.append(check_points(self.name, flat.reshape(-1, 2), size))
        check_in_pixels(self.name, rings, size)
        check_length(self.name, rings, size)  # they are rasterised all at once
        union = tool.merge(tool.frPyObjects(polygons, *size))
        return self._columns(rle.unpack(self.name, union["counts"].decode("ascii")), size)

    def _columns(self, runs: Any, size: Size) -> Boxed:
        """Lay runs down the columns, as COCO's go."""
        return rle.lay_runs(self.name, runs, size, by_columns=True)


def form_of(segmentation: Any) -> str:
    """Tell 'compressed' run lengths, plain 'counts' and 'polygons'."""
    if isinstance(segmentation, dict):
        return "compressed" if isinstance(segmentation.get("counts"), str) else "counts"
    return "polygons"
