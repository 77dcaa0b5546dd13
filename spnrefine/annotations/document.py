"""Open an annotation file or folder of any format that is read, told by its content.

`Document` and `Item` are all that a caller needs to know: for each item of ``document.items``, read the photograph,
``item.read(size)``, refine, ``item.write(mask)``; then ``document.outputs()`` are the refined files. Nothing here
writes a file.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spnrefine.annotations import coco, cvat, geojson, json_formats, label_studio, panoptic
from spnrefine.annotations.coco_brief import brief_result
from spnrefine.annotations.folders import open_folder, read_annotations
from spnrefine.annotations.items import Document, Item, decode_text
from spnrefine.annotations.json_spans import Kept, parse
from spnrefine.annotations.photograph_names import Claims, Photographs, search_path, shared
from spnrefine.errors import FileError, SpnRefineError

__all__ = ["FORMATS", "Document", "Item", "open_document"]

COCO_FORMS: dict[str, Callable[[Any], bool]] = {
    "COCO": coco.is_coco,
    "COCO results": coco.is_results,
}
OPENED: dict[str, Any] = {**json_formats.OPENED, **panoptic.OPENED}
OPENED_LIST: list[Any] = [Kept({**label_studio.OPENED[0], **geojson.OPENED}, brief_result)]
FORMATS = (
    "COCO, Label Studio, LabelMe, Supervisely, SA-1B or QuPath JSON, CVAT's XML, or a folder of YOLO, LabelMe, "
    "Supervisely, SA-1B or QuPath files"
)


def open_document(
    path: Path,
    images: Path | None = None,
    *,
    images_file: Path | None = None,
    polygons: bool = False,
    tolerance: float = 1.0,
) -> Document:
    """Open annotations.

    Parameters
    ----------
    path : an annotation file, or a folder of LabelMe's or YOLO's.
    images : folder of the photographs; None for the file's own folder, and the ``images`` folder beside or in it.
    images_file : for a list of COCO's results, the COCO file that names the photographs.
    polygons : write COCO's changed masks as polygons always.
    tolerance : how far, in pixels, written polygons may leave the mask's edge; 0 for none at all.

    Raises
    ------
    FileError
        The file is missing, damaged, of no known format, or or holds objects but no masks. What is wrong with one
        item alone, such as a missing photograph, is that item's ``problem``, or raised by its ``read``.
    MissingExtraError
        The format needs a package that is not installed.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise SpnRefineError(f"The polygons' tolerance is {tolerance}: give pixels, 0 or more.")
    if images is not None and not images.is_dir():
        raise FileError(f"{images} is not a folder: give the folder that holds the photographs.")
    claims: Claims = {}
    if path.is_dir():
        document = open_folder(path, images, claims, polygons=polygons, tolerance=tolerance)
    else:
        photographs = Photographs(search_path(path.parent, images), claims=claims)
        document = _open_file(path, photographs, images_file, polygons=polygons, tolerance=tolerance)
    if document is None:
        raise FileError(f"{path} holds no annotations of a known format: give {FORMATS}.")
    document.photographs = sorted(claims)
    problems = shared(claims)
    for item in document.items:
        item.problem = item.problem or problems.get(item.name)
    _check_understood(document)
    return document


def _open_file(
    path: Path, photographs: Photographs, images_file: Path | None, *, polygons: bool, tolerance: float
) -> Document | None:
    data = read_annotations(path)
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return cvat.open_cvat(path, data, photographs, tolerance=tolerance)
    text = decode_text(data, str(path))
    del data  # which would be there until all is parsed
    listed = text.lstrip("\ufeff \t\r\n").startswith("[")
    value = parse(text, str(path), OPENED_LIST if listed else OPENED)
    if panoptic.is_panoptic(value):
        return panoptic.open_panoptic(path, text, value, photographs)
    name = Path(path.name)
    form = next((form for form, fits in COCO_FORMS.items() if fits(value)), None)
    if form is None and images_file is not None and value == []:
        form = "COCO results"  # of a network that found nothing
    if form is not None:
        named = _named(images_file) if images_file is not None and form == "COCO results" else None
        file = coco.open_coco(name, text, value, photographs, named, polygons=polygons, tolerance=tolerance)
        return Document(path, form, [file])
    format = json_formats.tell(value)
    if format is not None:
        how: dict[str, Any] = {"polygons": polygons, "tolerance": tolerance}
        return Document(path, format, [json_formats.open_json(name, text, value, photographs, path, **how)])
    if label_studio.is_label_studio(value):
        return label_studio.open_label_studio(path, text, value, photographs, tolerance=tolerance)
    return None


def _named(path: Path) -> dict[str, Any]:
    value = parse(decode_text(read_annotations(path), str(path)), str(path), None)
    if not isinstance(value, dict) or not isinstance(value.get("images"), list):
        raise FileError(f"{path} holds no list of images: give COCO's file of the photographs, with their ids.")
    return value


def _check_understood(document: Document) -> None:
    held = sum(file.objects for file in document.files)
    if held and not document.items:
        what = f"{document.path} ({document.format}) holds {held} objects, but no mask and no polygon to refine"
        raise FileError(f"{what}: export it with masks, as boxes, points and poses have no edge to move.")
