"""The report of a batch: every mask before and after, worst first, in one HTML file that needs no network."""

import base64
import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path, PurePath
from statistics import median
from string import Template
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from spnrefine.files import atomic
from spnrefine.review.pictures import COARSE, REFINED, RGB
from spnrefine.review.thumbnails import Thumbnail, thumbnail
from spnrefine.review.values import number, pair, text
from spnrefine.version import __version__

Bools = NDArray[np.bool_]

STATUSES = ("failed", "refined", "made", "kept", "unchanged", "empty", "full", "by hand", "no mask", "skipped")
"""The order in which the page counts them; any other status follows."""

LINKS = {"image": "photograph", "mask": "coarse mask", "output": "refined mask"}
SCRIPTS = ("cards.js", "controls.js")


class Report:
    """Collects what a batch did, mask by mask, and writes it as a page.

    Of every photograph a thumbnail of some ten kilobytes is kept. `add` may be called by several threads at once; the
    order of the calls does not matter.
    """

    def __init__(self) -> None:
        self._items: list[tuple[Mapping[str, Any], Thumbnail | None]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._items)

    def add(
        self,
        record: Mapping[str, Any],
        image: RGB | None = None,
        coarse: Bools | None = None,
        refined: Bools | None = None,
    ) -> None:
        """Add a record, with its photograph (H, W, 3) and masks (H, W) where there are any."""
        if image is None or coarse is None or refined is None:
            self.add_thumbnail(record)
        else:
            self.add_thumbnail(record, thumbnail(image, coarse, refined))

    def add_thumbnail(self, record: Mapping[str, Any], picture: Thumbnail | None = None) -> None:
        """Add a record whose thumbnail was made elsewhere, or that has none."""
        with self._lock:
            self._items.append((dict(record), picture))

    def html(self, folder: Path) -> str:
        """Return the page, whose links are relative to ``folder``, where it will lie."""
        with self._lock:
            items = sorted(self._items, key=lambda item: _badness(item[0]))
        records = [record for record, _ in items]
        data = {
            "version": __version__,
            "summary": summarise(records),
            "items": [_item(record, folder) for record in records],
        }
        style = f":root {{ --coarse: rgb{COARSE}; --refined: rgb{REFINED}; }}\n{_part('page.css')}"
        script = "\n".join(_part(name) for name in SCRIPTS)
        return Template(_part("page.html")).substitute(
            policy=f"default-src 'none'; img-src data:; style-src '{_sha256(style)}'; script-src '{_sha256(script)}'; "
            "base-uri 'none'; form-action 'none'",
            style=style,
            data=_json(data),
            pictures="\n".join(_pictures(picture for _, picture in items)),
            script=script,
        )

    def write(self, path: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
        """Write the page to ``path``.

        Raises
        ------
        FileError
            As `spnrefine.files.atomic.write_bytes`: ``path`` exists and ``overwrite`` is false, is one of ``inputs``,
            or cannot be written.
        """
        atomic.write_bytes(path, self.html(Path(path).parent).encode(), overwrite=overwrite, inputs=inputs)


def summarise(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count the records by status, and tell the median of the changed shares and the sum of the seconds."""
    counts = Counter(text(record.get("status")) or "unknown" for record in records)
    known = {status: counts.pop(status) for status in STATUSES if status in counts}
    changed = [share for record in records if (share := number(record.get("changed"))) is not None]
    return {
        "counts": [[*entry] for entry in {**known, **dict(sorted(counts.items()))}.items()],
        "changed": median(changed) if changed else None,
        "seconds": sum(number(record.get("seconds")) or 0.0 for record in records),
    }


def link(target: str, folder: Path) -> str:
    """Return the URL of a file, relative to ``folder`` and safe whatever the file's name holds."""
    target, start = os.path.abspath(target), os.path.abspath(folder)  # noqa: PTH100 -- lexical, as browsers read ".."
    try:
        relative = os.path.relpath(target, start)
    except ValueError:  # on another drive
        return PurePath(target).as_uri()
    return quote(os.fsencode(relative.replace(os.sep, "/")), safe="/")


def _badness(record: Mapping[str, Any]) -> tuple[bool, float, float, str, str]:
    """The order of the page: failed first, then the worst that is expected, then by falling changed share and name."""
    changed, quality = (number(record.get(key)) for key in ("changed", "quality_after"))
    image, mask = (text(record.get(key)) or "" for key in ("image", "mask"))
    failed = text(record.get("status")) == "failed"
    return not failed, 2.0 if quality is None else quality, 1.0 if changed is None else -changed, image, mask


def _item(record: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A record as the page's script reads it: every key is there, every value of its kind or null."""
    paths = {key: text(record.get(key)) for key in LINKS}
    notes = record.get("notes")
    return {
        **paths,
        "status": text(record.get("status")) or "unknown",
        "changed": number(record.get("changed")),
        "shift": number(record.get("contour_shift")),
        "uncertainty": number(record.get("uncertainty")),
        "seconds": number(record.get("seconds")),
        "components": pair(record, "components"),
        "holes": pair(record, "holes"),
        "error": text(record.get("error")),
        "notes": [str(note) for note in ([notes] if isinstance(notes, str) else notes or [])],
        "links": [[LINKS[key], link(path, folder)] for key, path in paths.items() if path and path != "-"],
    }


def _pictures(thumbnails: Iterable[Thumbnail | None]) -> Iterator[str]:
    """Each thumbnail in an element of its own, which the page reads when its card comes into view."""
    for index, picture in enumerate(thumbnails):
        if picture:
            parts = {**vars(picture), "jpeg": base64.b64encode(picture.jpeg).decode()}
            yield f'<script type="application/json" id="picture-{index}">{_json(parts)}</script>'


def _json(value: Any) -> str:
    """JSON in ASCII that cannot end the script element which holds it."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _sha256(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _part(name: str) -> str:
    return resources.files("spnrefine.review").joinpath("page", name).read_text("utf-8")
