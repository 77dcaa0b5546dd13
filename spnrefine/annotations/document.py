"""Open an annotation file or folder of any format that is read, told by its content.

`Document` and `Item` are all that a caller needs to know: for each item of ``document.items``, read the photograph,
``item.read(size)``, refine, ``item.write(mask)``; then ``document.outputs()`` are the refined files. Nothing here
writes a file.
"""

import math
from pathlib import Path

from spnrefine.annotations import coco
from spnrefine.annotations.items import Document, Item, decode_text
from spnrefine.annotations.json_spans import parse
from spnrefine.annotations.photographs import is_file
from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files.opening import read_bytes

__all__ = ["FORMATS", "Document", "Item", "open_document"]

FORMATS = "COCO JSON"


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
    FileError   when the file is missing, damaged or of no known format. What is wrong with one item alone, such as a
                missing photograph, is that item's ``problem``, or raised by its ``read``.
    MissingExtraError   when the format needs a package that is not installed.
    """
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise SpnRefineError(f"the polygons' tolerance is {tolerance}; give pixels, 0 or more")
    if images is not None and not images.is_dir():
        raise FileError(f"{images} is not a folder; give the folder that holds the photographs")
    return _open_json(path, _read(path), images, polygons=polygons, tolerance=tolerance)


def _open_json(path: Path, data: bytes, images: Path | None, *, polygons: bool, tolerance: float) -> Document:
    text = decode_text(data, str(path))
    value = parse(text, str(path), coco.OPENED)
    folders = [images] if images is not None else [path.parent, path.parent / "images", path.parent.parent / "images"]
    if coco.is_coco(value):
        return coco.open_coco(path, text, value, folders, polygons=polygons, tolerance=tolerance)
    raise _unknown(path)


def _read(path: Path) -> bytes:
    if is_file(path) and path.stat().st_size == 0:
        raise FileError(f"{path} is empty (0 bytes); export the annotations again")
    return read_bytes(path)


def _unknown(path: Path) -> FileError:
    return FileError(f"{path} holds no annotations of a known format; give {FORMATS}")
