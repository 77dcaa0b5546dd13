"""Open an annotation file or folder of any format that is read, told by its content.

`Document` and `Item` are all that a caller needs to know: for each item of ``document.items``, read the photograph,
``item.read(size)``, refine, ``item.write(mask)``; then ``document.outputs()`` are the refined files. Nothing here
writes a file.
"""

import math
from pathlib import Path

from spnrefine.annotations import coco, cvat, label_studio, labelme, yolo
from spnrefine.annotations.items import BadItem, Document, Item, decode_text
from spnrefine.annotations.json_spans import parse
from spnrefine.annotations.photograph_names import is_file
from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files.opening import read_bytes

__all__ = ["FORMATS", "Document", "Item", "open_document"]

FORMATS = "COCO, LabelMe or Label Studio JSON, CVAT's XML for images, or a folder of LabelMe or YOLO files"


def open_document(
    path: Path, images: Path | None = None, *, polygons: bool = False, tolerance: float = 1.0
) -> Document:
    """Open annotations.

    Parameters
    ----------
    path : an annotation file, or a folder of LabelMe's or YOLO's.
    images : folder of the photographs; None for the file's own folder, and the ``images`` folder beside or in it.
    polygons : write COCO's changed masks as polygons always.
    tolerance : how far, in pixels, written polygons may leave the mask's edge; 0 for none at all.

    Raises
    ------
    FileError
        The file is missing, damaged or of no known format. What is wrong with one item alone, such as a missing
        photograph, is that item's ``problem``, or raised by its ``read``.
    MissingExtraError
        The format needs a package that is not installed.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise SpnRefineError(f"The polygons' tolerance is {tolerance}: give pixels, 0 or more.")
    if images is not None and not images.is_dir():
        raise FileError(f"{images} is not a folder: give the folder that holds the photographs.")
    if path.is_dir():
        return _open_folder(path, images, tolerance=tolerance)
    data = _read(path)
    folders = _folders(path.parent, images)
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return cvat.open_cvat(path, data, folders, tolerance=tolerance)
    text = decode_text(data, str(path))
    listed = text.lstrip("\ufeff \t\r\n").startswith("[")
    value = parse(text, str(path), label_studio.OPENED if listed else {**coco.OPENED, **labelme.OPENED})
    if coco.is_coco(value):
        return coco.open_coco(path, text, value, folders, polygons=polygons, tolerance=tolerance)
    if labelme.is_labelme(value):
        file = labelme.open_labelme(Path(path.name), text, value, folders, tolerance=tolerance)
        return Document(path, "LabelMe", [file])
    if label_studio.is_label_studio(value):
        return label_studio.open_label_studio(path, text, value, folders, tolerance=tolerance)
    raise _unknown(path)


def _open_folder(path: Path, images: Path | None, *, tolerance: float) -> Document:
    """Open a folder of LabelMe files, or else of YOLO's; one that cannot be read does not stop the rest."""
    for format, suffix in (("LabelMe", ".json"), ("YOLO", ".txt")):
        document = Document(path, format, [])
        for found in _walk(path, suffix):
            name = found.relative_to(path)
            if format == "YOLO" and name.name.lower() in yolo.NOT_LABELS:
                continue
            folders = _folders(found.parent, images, name.parent)
            try:
                text = decode_text(_read(found, may_be_empty=format == "YOLO"), str(found))
                if format == "LabelMe":
                    value = parse(text, str(found), labelme.OPENED)
                    if not labelme.is_labelme(value):
                        raise FileError(f"{found} is no LabelMe file as others there are: take it out of the folder.")
                    document.files.append(labelme.open_labelme(name, text, value, folders, tolerance=tolerance))
                else:
                    if text.strip() and not yolo.is_yolo(text):
                        raise FileError(f"{found} is no YOLO file as others there are: take it out of the folder.")
                    document.files.append(yolo.open_yolo(name, text, folders, tolerance=tolerance))
            except FileError as error:
                document.stray.append(BadItem(name.as_posix(), found, str(error)))
        if any(file.text.strip() for file in document.files):
            return document
    raise _unknown(path)


def _folders(own: Path, images: Path | None, below: Path = Path()) -> list[Path]:
    """List where photographs may lie, given the folder of their annotations, ``below`` the document's own.

    Where none is named: with the annotations, in ``images`` there or beside, and where YOLO has them, in a tree of
    ``images`` like that of ``labels``.
    """
    if images is not None:
        return [images / below, images, own]
    parts = list(own.parts)
    if "labels" in parts:
        last = len(parts) - 1 - parts[::-1].index("labels")
        parts[last] = "images"
    return [own, Path(*parts), own / "images", own.parent / "images"]


def _walk(folder: Path, suffix: str) -> list[Path]:
    """List the files of a folder and its sub-folders that end in ``suffix``, hidden ones aside, in a fixed order."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() == suffix and is_file(path))
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def _read(path: Path, *, may_be_empty: bool = False) -> bytes:
    if is_file(path) and path.stat().st_size == 0:
        if may_be_empty:  # YOLO's way to say that a photograph shows nothing
            return b""
        raise FileError(f"{path} is empty (0 bytes): export the annotations again.")
    return read_bytes(path)


def _unknown(path: Path) -> FileError:
    return FileError(f"{path} holds no annotations of a known format: give {FORMATS}.")
