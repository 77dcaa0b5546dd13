"""The JSON formats that have a file for each photograph: LabelMe, Supervisely, QuPath's GeoJSON and SA-1B."""

from pathlib import Path
from typing import Any

from spnrefine.annotations import coco, geojson, labelme, supervisely
from spnrefine.annotations.items import TextFile
from spnrefine.annotations.photograph_names import Photographs

FITS = {
    "LabelMe": labelme.is_labelme,
    "Supervisely": supervisely.is_supervisely,
    "GeoJSON": geojson.is_geojson,
    "SA-1B": coco.is_sa1b,
}
"""How each is told by its content."""

OPENED: dict[str, Any] = {**labelme.OPENED, **supervisely.OPENED, **geojson.OPENED, **coco.OPENED}
"""What is looked into, of each file, or of each member where it is a list."""


def tell(value: Any) -> str | None:
    """Return the name of the format of ``value``, parsed with `OPENED`; None where it is none of these."""
    return next((format for format, fits in FITS.items() if fits(value)), None)


def open_json(
    path: Path,
    text: str,
    value: Any,
    photographs: Photographs,
    location: Path,
    *,
    polygons: bool = False,
    tolerance: float,
) -> TextFile:
    """Open a file that `tell` knows; ``path`` is relative to the document, ``location`` where the file lies."""
    match tell(value):
        case "LabelMe":
            return labelme.open_labelme(path, text, value, photographs, location, tolerance=tolerance)
        case "Supervisely":
            return supervisely.open_supervisely(path, text, value, photographs, tolerance=tolerance)
        case "GeoJSON":
            return geojson.open_geojson(path, text, value, photographs, tolerance=tolerance)
        case _:
            return coco.open_coco(path, text, value, photographs, polygons=polygons, tolerance=tolerance)
