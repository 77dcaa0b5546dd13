"""What the page shows of each record, and in which order."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from spnrefine.errors import printable
from spnrefine.review.values import number, pair, text

LINKS = {"image": "photograph", "mask": "coarse mask", "output": "refined mask"}
OLD = {"skipped", "by hand"}
"""The statuses of what no run made that ends with them."""

ITEM = "item"
"""What a mask of an annotation file is called, which is no file of its own."""

Item = dict[str, Any]


def item_of(record: Mapping[str, Any]) -> Item:
    """Return a record as the page's script reads it: every key is there, every value of its kind or null."""
    notes = record.get("notes")
    status = text(record.get("status")) or "unknown"
    return {
        **{key: text(record.get(key)) for key in LINKS},
        ITEM: text(record.get(ITEM)),
        "status": status,
        "new": status not in OLD,
        "expected": expected_error(record),
        "changed": number(record.get("changed")),
        "shift": number(record.get("contour_shift")),
        "seconds": number(record.get("seconds")),
        "components": pair(record, "components"),
        "holes": pair(record, "holes"),
        "error": text(record.get("error")),
        "notes": [str(note) for note in ([notes] if isinstance(notes, str) else notes or [])],
    }


def expected_error(record: Mapping[str, Any]) -> float | None:
    """Say how far off a refined mask may be: 1 - the IoU that a judge expects, or else the doubt of its own pixels."""
    quality = number(record.get("quality_after"))
    return number(record.get("doubt")) if quality is None else 1 - quality


def badness(item: Item) -> tuple[bool, float, float, str, str]:
    """The order of the page: failed first, then by falling expected error and changed share, then by name."""
    expected, changed = (1.0 if item[key] is None else -item[key] for key in ("expected", "changed"))
    return item["status"] != "failed", expected, changed, item["image"] or "", item["mask"] or ""


def with_links(item: Item, folder: Path) -> Item:
    """Add the links to an item's files, relative to the folder of the page."""
    paths = ((LINKS[key], item[key]) for key in LINKS)
    return item | {"links": [[name, link(path, folder)] for name, path in paths if path and path != "-"]}


def link(target: str, folder: Path) -> str:
    """Return the URL of a file, relative to ``folder`` and safe whatever the file's name holds."""
    target, start = os.path.abspath(target), os.path.abspath(folder)  # noqa: PTH100 -- lexical, as browsers read ".."
    try:
        relative = os.path.relpath(target, start)
    except ValueError:  # on another drive
        return PurePath(target).as_uri()
    relative = relative.replace(os.sep, "/")
    try:
        return quote(os.fsencode(relative), safe="/")
    except UnicodeEncodeError:  # of half a character, which an annotation file may hold and no path can
        return quote(printable(relative), safe="/")


def home(folder: Path) -> int:
    """Digest the folder of a page, by which its script knows whether the page was moved, and its links lead nowhere.

    FNV-1a of 32 bits: the page says no path of its maker's machine, and browsers have no quicker digest for files.
    """
    total = 0x811C9DC5
    for byte in os.fsencode(os.path.abspath(folder).replace(os.sep, "/").rstrip("/")):  # noqa: PTH100 -- as above
        total = (total ^ byte) * 0x01000193 & 0xFFFFFFFF
    return total
