"""The report of a batch: every mask before and after, worst first, in one HTML file that needs no network."""

import base64
import hashlib
import html
import json
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from itertools import islice
from pathlib import Path
from statistics import median
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import printable
from spnrefine.files import atomic
from spnrefine.review import put_aside
from spnrefine.review.items import ITEM, Item, badness, home, item_of, with_links
from spnrefine.review.pictures import COARSE, REFINED, RGB
from spnrefine.review.places import Place
from spnrefine.review.thumbnails import Thumbnail, thumbnail
from spnrefine.review.values import number, text
from spnrefine.version import __version__

Bools = NDArray[np.bool_]
Picture = dict[str, Any]
Shown = tuple[put_aside.Place, put_aside.Place | None]
"""Where an item lies, and its picture, if it has one."""

STATUSES = ("failed", "refined", "made", "kept", "unchanged", "empty", "full", "by hand", "no mask", "skipped")
"""The order in which the page counts them; any other status follows."""

SCRIPTS = ("cards.js", "controls.js")
MOST_PICTURES = 5000
"""A page that shows more, at some ten kilobytes each, is one that no browser opens."""
_HERE = "\0pictures\0"
_EMBEDDED = re.compile(r'<script type="application/json" id="(report|picture-\d+)">(.*?)</script>', re.DOTALL)


class Report:
    """Collects what a batch did, mask by mask, and writes it as a page.

    Of every photograph a thumbnail of some ten kilobytes is kept, and as much of its worst places; all lies on the disc
    until the page is written, which shows the pictures of the 5,000 worst. `add` may be called by several threads at
    once; the order of the calls does not matter.

    Parameters
    ----------
    about : what the page says of the run, by name, beside the program's version; ``output`` and ``began`` are its
        title and date.
    """

    def __init__(self, about: Mapping[str, Any] | None = None) -> None:
        self._about = {name: str(value) for name, value in (about or {}).items()}
        self._items: list[Shown] = []
        self._earlier: list[Shown] = []
        self._aside = put_aside.PutAside()
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

    def add_thumbnail(
        self, record: Mapping[str, Any], picture: Thumbnail | None = None, places: Sequence[Place] = ()
    ) -> None:
        """Add a record whose thumbnail and places were made elsewhere, or that has none."""
        drawn = None
        if picture is not None:
            all_of_it = _picture(picture) | {"places": [_picture(place) | {"why": why} for why, place in places]}
            drawn = self._aside.put(_json(all_of_it).encode())
        with self._lock:
            self._items.append((self._aside.put(_json(item_of(record)).encode()), drawn))

    def take_up(self, page: str) -> None:
        """Take from the page of an earlier run what this one does not do again; what is no such page holds nothing."""
        items, pictures = [], {}
        for name, data in (match.groups() for match in _EMBEDDED.finditer(page)):
            try:
                held = json.loads(data)
            except ValueError:
                return
            if name == "report":
                items = held.get("items", [])
            else:
                pictures[name] = self._aside.put(_json(held).encode())
        usual = item_of({})
        for place, item in enumerate(items):
            if isinstance(item, dict) and usual.keys() - {ITEM} <= item.keys():
                own = {key: item.get(key) for key in usual} | {"new": False}
                self._earlier.append((self._aside.put(_json(own).encode()), pictures.get(f"picture-{place}")))

    def html(self, folder: Path) -> str:
        """Return the page, whose links are relative to ``folder``, where it will lie."""
        return b"".join(self.page(folder)).decode()

    def page(self, folder: Path) -> "Page":
        """Return the page in parts, which is how a large one is written."""
        with self._lock:
            items, earlier = self._read(self._items), self._read(self._earlier)
        new = {_name(item) for item, _ in items}
        items += [old for old in earlier if _name(old[0]) not in new]
        items.sort(key=lambda one: badness(one[0]))
        drawn = [place for _, place in items]
        about = self._about
        if sum(place is not None for place in drawn) > MOST_PICTURES:
            about = about | {"pictures": f"those of the {MOST_PICTURES} worst"}
        data = {
            "version": __version__,
            "about": about,
            "home": home(folder),
            "summary": summarise([item for item, _ in items]),
            "items": [with_links(item, folder) for item, _ in items],
        }
        style = f":root {{ --coarse: rgb{COARSE}; --refined: rgb{REFINED}; }}\n{_part('page.css')}"
        script = "\n".join(_part(name) for name in SCRIPTS)
        page = Template(_part("page.html")).substitute(
            policy=f"default-src 'none'; img-src data:; style-src '{_sha256(style)}'; script-src '{_sha256(script)}'; "
            "base-uri 'none'; form-action 'none'",
            title=html.escape(printable(" ".join(self._about.get(key, "") for key in ("output", "began")).strip()))
            or "report",
            style=style,
            data=_json(data),
            pictures=_HERE,
            script=script,
        )
        head, tail = page.split(_HERE)
        return Page(head, tail, drawn, self._aside)

    def _read(self, shown: Iterable[Shown]) -> list[tuple[Item, put_aside.Place | None]]:
        return [(json.loads(self._aside.get(item)), picture) for item, picture in shown]

    def write(self, path: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
        """Write the page to ``path``.

        Raises
        ------
        FileError
            As `spnrefine.files.atomic.write_bytes`: ``path`` exists and ``overwrite`` is false, is one of ``inputs``,
            or cannot be written.
        """
        atomic.write_bytes(path, self.page(Path(path).parent), overwrite=overwrite, inputs=inputs)


class Page:
    """A page in parts, each thumbnail in an element of its own, which it reads when its card comes into view."""

    def __init__(self, head: str, tail: str, drawn: Sequence[put_aside.Place | None], pictures: put_aside.PutAside):
        self._head, self._tail, self._drawn, self._pictures = head, tail, drawn, pictures

    def __iter__(self) -> Iterator[bytes]:
        yield self._head.encode()
        shown = ((index, place) for index, place in enumerate(self._drawn) if place is not None)
        for index, place in islice(shown, MOST_PICTURES):
            yield b'<script type="application/json" id="picture-%d">%s</script>\n' % (index, self._pictures.get(place))
        yield self._tail.encode()


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


def _name(item: Item) -> tuple[Any, Any]:
    return item["image"], item["mask"] or item[ITEM]


def _picture(thumbnail: Thumbnail) -> Picture:
    return {**vars(thumbnail), "jpeg": base64.b64encode(thumbnail.jpeg).decode()}


def _json(value: Any) -> str:
    """JSON in ASCII that cannot end the script element which holds it."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _sha256(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _part(name: str) -> str:
    return resources.files("spnrefine.review").joinpath("page", name).read_text("utf-8")
