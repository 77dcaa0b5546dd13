"""QuPath's GeoJSON: the objects of one photograph as features, in pixels from the upper left corner.

Polygons and MultiPolygons are items; points, lines and ellipses stay as they are, and so do nuclei in cells. A changed
mask keeps its holes and parts: it is a MultiPolygon where it has several, else a Polygon. Its pixels are those whose
centres the polygon holds. GeoJSON of maps has other coordinates, and is not read.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from spnrefine.annotations.items import Edit, Item, Size, TextFile, called, check_not_empty, pairs
from spnrefine.annotations.json_items import JsonItem
from spnrefine.annotations.json_spans import Spanned
from spnrefine.annotations.outlines import check_points
from spnrefine.annotations.photograph_names import Photographs, of_stem
from spnrefine.annotations.polygons import Grid, Ring, fill, trace
from spnrefine.boxes.box import around
from spnrefine.boxes.boxed import NOWHERE, Boxed
from spnrefine.errors import FileError

_FEATURE: dict[str, Any] = {"geometry": {}}
OPENED: dict[str, Any] = {"features": [_FEATURE], **_FEATURE}
"""For a list of features, what its members are opened with is `OPENED` as well."""

AREAS = ("Polygon", "MultiPolygon")


def is_geojson(value: Any) -> bool:
    """Tell QuPath's GeoJSON by its features: a collection, a list, or one; none of a map."""
    of_a_map = isinstance(value, dict) and "crs" in value
    return not of_a_map and any(_is_qupaths(feature) for feature in _features(value))


def open_geojson(path: Path, text: str, value: Any, photographs: Photographs, *, tolerance: float) -> TextFile:
    """Open GeoJSON's ``value``, parsed from ``text`` with `OPENED`.

    Parameters
    ----------
    path : relative to the document; also what the items are named after. The photograph has its name or stem.
    """
    features = _features(value)
    items: list[Item] = []
    for position, feature in enumerate(features):
        found = feature.get("geometry")
        if not isinstance(found, Spanned) or found.get("type") not in AREAS or found.get("isEllipse") is True:
            continue
        name = f"{path.as_posix()}#{position}"
        photograph, problem = photographs.find(name, [path.stem, *of_stem(path.stem)])
        plane = found.get("plane")
        if problem is None and isinstance(plane, dict) and (plane.get("z") or plane.get("t")):
            problem = f"{name} lies on another plane than the first: export the objects of one plane."
        own: dict[str, Any] = {"held": found, "text": text, "stated": (None, None), "tolerance": tolerance}
        items.append(_Area(name, photograph, problem, category=_category(feature), **own))
    return TextFile(path, text, items, objects=len(features))


def _category(feature: dict[str, Any]) -> str | None:
    """Return the class of an object, as QuPath has it among its properties."""
    properties = feature.get("properties")
    of = properties.get("classification") if isinstance(properties, dict) else None
    return called(of.get("name")) if isinstance(of, dict) else None


class _Area(JsonItem):
    def _decode(self, size: Size) -> Boxed:
        coordinates = self.found.get("coordinates")
        polygons = [coordinates] if self.found["type"] == "Polygon" else coordinates
        if (
            not isinstance(polygons, list)
            or not polygons
            or not all(isinstance(polygon, list) and polygon for polygon in polygons)
        ):
            raise FileError(f"{self.name} should hold polygons as lists of rings and does not: export it again.")
        parts = [self._part(rings, size) for rings in polygons]
        box = around([part.box for part in parts if part.box.height] or [NOWHERE])
        return Boxed(size, box, np.any([part.within(box) for part in parts], axis=0))

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        parts = trace(mask, tolerance=self.tolerance, grid=Grid.CORNERS)
        polygons = [[_closed(ring) for ring in part.rings] for part in parts]
        kind = "Polygon" if len(polygons) == 1 else "MultiPolygon"
        if kind != self.found["type"]:
            yield self._edit("type", kind)
        yield self._edit("coordinates", polygons[0] if kind == "Polygon" else polygons)

    def _part(self, rings: list[Any], size: Size) -> Boxed:
        outer, *holes = (self._fill(ring, size) for ring in rings)
        for hole in holes:
            outer = Boxed(size, outer.box, outer.pixels & ~hole.within(outer.box))
        return outer

    def _fill(self, ring: Any, size: Size) -> Boxed:
        return fill(check_points(self.name, pairs(self.name, ring), size), size, grid=Grid.CORNERS)


def _features(value: Any) -> list[Spanned]:
    if isinstance(value, dict):
        value = value.get("features") if value.get("type") == "FeatureCollection" else [value]
    if not isinstance(value, list) or not all(
        isinstance(one, Spanned) and one.get("type") == "Feature" for one in value
    ):
        return []
    return value


def _is_qupaths(feature: Spanned) -> bool:
    """Tell QuPath's features by their type, which before its version 0.3 stood in the id."""
    properties = feature.get("properties")
    return (isinstance(properties, dict) and "objectType" in properties) or str(feature.get("id")).startswith("Path")


def _closed(ring: Ring) -> list[list[float]]:
    return np.concatenate([ring, ring[:1]]).tolist()
