"""Open a folder of annotation files, one for each photograph; one that cannot be read does not stop the rest."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from spnrefine.annotations import json_formats, yolo
from spnrefine.annotations.items import BadItem, Document, TextFile, decode_text
from spnrefine.annotations.json_spans import parse
from spnrefine.annotations.photograph_names import Claims, Photographs, search_path
from spnrefine.annotations.yolo_lines import Line, is_yolo, read_lines, tell
from spnrefine.errors import FileError
from spnrefine.files.limits import Content
from spnrefine.files.opening import read_bytes
from spnrefine.files.regular import is_file
from spnrefine.files.stems import has_extension

Read = dict[Path, tuple[str, Any]]
"""Path within the folder to a file's text and what was parsed from it."""


def open_folder(
    path: Path, images: Path | None, claims: Claims, *, polygons: bool, tolerance: float
) -> Document | None:
    """Open a folder of JSON files of `json_formats`, or else of YOLO's; None where it holds none of these.

    Files of the suffix that are not of the format go out as they came.
    """

    def photographs(name: Path) -> Photographs:
        return Photographs(search_path((path / name).parent, images, name.parent), name.parent, claims)

    document = Document(path, "", [])
    read = _read_all(document, (".json", ".geojson"), _parse_json)
    for name, (text, value) in read.items():
        how: dict[str, Any] = {"polygons": polygons, "tolerance": tolerance}
        document.files.append(json_formats.open_json(name, text, value, photographs(name), path / name, **how))
        document.format = document.format or json_formats.tell(value) or ""
    if read:
        return _sorted(document)
    document = Document(path, "YOLO", [])
    read = _read_all(document, (".txt",), _parse_yolo, yolo.NOT_LABELS)
    kind = tell([line for _, lines in read.values() for line in lines], path)
    for name, (text, lines) in read.items():
        document.files.append(yolo.open_yolo(name, text, lines, kind, photographs(name), tolerance=tolerance))
    return _sorted(document) if any(lines for _, lines in read.values()) else None


def read_annotations(path: Path) -> bytes:
    """Return a file's bytes; errors as of `read_bytes`, and for an empty file."""
    if is_file(path) and path.stat().st_size == 0:
        raise _empty(path)
    return read_bytes(path, Content.TEXT)


def _read_all(
    document: Document, suffixes: Collection[str], parse_text: Callable[[Path, str], Any], others: Collection[str] = ()
) -> Read:
    """Read the files that ``parse_text`` takes; those that it refuses go to the document as they are."""
    read: Read = {}
    for path in _walk(document.path, suffixes):
        if path.name.lower() in others:
            continue
        name, data = path.relative_to(document.path), None
        try:
            data = read_bytes(path, Content.TEXT) if path.stat().st_size else b""
            if not data and ".txt" not in suffixes:  # which is YOLO's way to say that a photograph shows nothing
                raise _empty(path)
            text = decode_text(data, str(path))
            read[name] = (text, parse_text(path, text))
        except FileError as error:
            document.stray.append(BadItem(name.as_posix(), path, str(error)))
            if data is not None:
                document.files.append(TextFile(name, data.decode("latin-1"), encoding="latin-1"))
    return read


def _empty(path: Path) -> FileError:
    return FileError(f"{path} is empty (0 bytes): export the annotations again.")


def _parse_json(path: Path, text: str) -> Any:
    opened = json_formats.OPENED
    value = parse(text, str(path), [opened] if text.lstrip("\ufeff \t\r\n").startswith("[") else opened)
    if json_formats.tell(value) is None:
        known = ", ".join(json_formats.FITS)
        raise FileError(f"{path} is no file of {known}: take it out of the folder, or refine it alone.")
    return value


def _parse_yolo(path: Path, text: str) -> list[Line]:
    if text.strip() and not is_yolo(text):
        raise FileError(f"{path} is no YOLO file as others there are: take it out of the folder.")
    return read_lines(text)


def _sorted(document: Document) -> Document:
    document.files.sort(key=lambda file: document.path / file.path)
    return document


def _walk(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """List the files of a folder and its sub-folders that end in ``suffixes``, hidden ones aside, in a fixed order."""
    found = sorted(path for path in folder.rglob("*") if has_extension(path, suffixes) and is_file(path))
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
