"""Label Studio: its exports JSON, a list of tasks with annotations (and predictions) of regions, and JSON-MIN.

JSON-MIN is a list too, of which each entry holds its photograph's name and, under the names of the labelling tags, the
regions' values.

Regions of a brush (``rle``) and polygons are items; all others stay as they are. A pixel belongs to a brush's mask
where the editor paints it, that is where its alpha is not 0. A changed brush is written in one opacity, the strongest
that it had; the editor shows it in its label's colour whatever the file says. A changed polygon stays one polygon,
with bridges of no width to its holes and parts.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from spnrefine.annotations import brush
from spnrefine.annotations.bridges import join
from spnrefine.annotations.items import Document, Edit, Item, Size, TextFile, called, check_not_empty, check_size, pairs
from spnrefine.annotations.json_items import JsonItem
from spnrefine.annotations.json_spans import ANY, Spanned
from spnrefine.annotations.outlines import check_points
from spnrefine.annotations.photograph_names import Photographs
from spnrefine.annotations.polygons import Grid, fill, trace
from spnrefine.boxes.boxed import Boxed
from spnrefine.files.formats import PHOTOGRAPHS

_RESULTS: dict[str, Any] = {"result": [{"value": {}}]}
OPENED: list[Any] = [{"annotations": [_RESULTS], "predictions": [_RESULTS], ANY: [{}]}]


def is_label_studio(value: Any) -> bool:
    """Tell Label Studio by a list of tasks that have data, or of which any has values with their picture's size."""
    if not isinstance(value, list) or not value or not all(isinstance(task, dict) for task in value):
        return False
    return all(isinstance(task.get("data"), dict) for task in value) or any(
        True for task in value for _ in _values(task)
    )


def open_label_studio(path: Path, text: str, value: Any, photographs: Photographs, *, tolerance: float) -> Document:
    """Open Label Studio's ``value``, parsed from ``text`` with `OPENED`.

    Items are named after the task's id and the region's, or their positions where they have none.
    """
    items: list[Item] = []
    names: set[str] = set()
    objects = 0
    for number, task in enumerate(value):
        data = task["data"] if isinstance(task.get("data"), dict) else task
        photographs.mention(*_photograph_names(data))
        for where, region, found in _regions(task) if data is not task else _values(task):
            objects += 1
            kind = _kind(region, found)
            if kind is None:
                continue
            name = f"{path.name}#{_word(task.get('id'), str(number))}/{_word(region.get('id'), where)}"
            name = f"{path.name}#[{number}]/{where}" if name in names else name
            names.add(name)
            photograph, problem = photographs.find(name, *_photograph_names(data))
            rotation = region.get("image_rotation", 0)
            if problem is None and rotation not in (0, None):
                problem = f"{name} was drawn on a turned photograph (image_rotation {rotation!r}), which is not read"
                problem += ": turn it back in Label Studio and export it again."
            stated = (region.get("original_height"), region.get("original_width"))
            own: dict[str, Any] = {"held": found, "text": text, "stated": stated, "tolerance": tolerance}
            items.append(kind(name, photograph, problem, category=_category(found), **own))
    return Document(path, "Label Studio", [TextFile(Path(path.name), text, items, objects=objects)])


class _Brush(JsonItem):
    def _decode(self, size: Size) -> Boxed:
        alpha = self._alpha(size)
        return Boxed(size, alpha.box, alpha.pixels > 0)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        strongest = int(self._alpha(mask.size).pixels.max(initial=0))
        yield self._edit("rle", brush.encode(mask, strongest or 255))

    def _alpha(self, size: Size) -> Boxed:
        check_size(self.name, self.stated, size)
        return brush.decode(self.name, self.found["rle"], size)


class _Polygon(JsonItem):
    def _decode(self, size: Size) -> Boxed:
        check_size(self.name, self.stated, size)
        points = pairs(self.name, self.found["points"]) * size[::-1] / 100  # the file has percent
        return fill(check_points(self.name, points, size), size, grid=Grid.CORNERS)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        check_not_empty(self.name, mask, "polygon")
        ring = join(trace(mask, tolerance=self.tolerance, grid=Grid.CORNERS)) * 100 / mask.size[::-1]
        yield self._edit("points", ring.round(8).tolist())


def _category(found: Spanned) -> str | None:
    """Return the label of a region, where it has one alone."""
    labels = [value for key, value in found.items() if str(key).endswith("labels") and isinstance(value, list)]
    return called(labels[0][0]) if len(labels) == 1 and len(labels[0]) == 1 else None


def _kind(region: Spanned, found: Spanned) -> type[JsonItem] | None:
    if "rle" in found:
        return _Brush
    polygon = region is found or str(region.get("type")).startswith("polygon")
    return _Polygon if "points" in found and polygon else None


def _values(task: dict[str, Any]) -> Iterator[tuple[str, Spanned, Spanned]]:
    """Yield the regions of an entry of JSON-MIN, which are their own values, and where they stand."""
    for key, values in task.items():
        for position, found in enumerate(values if isinstance(values, list) else []):
            if isinstance(found, Spanned) and "original_width" in found:
                yield f"{key}[{position}]", found, found


def _regions(task: dict[str, Any]) -> Iterator[tuple[str, Spanned, Spanned]]:
    """Yield the regions of a task that have values, these, and where they stand."""
    for kind in ("annotations", "predictions"):
        results = task.get(kind)
        for number, result in enumerate(results if isinstance(results, list) else []):
            regions = result.get("result") if isinstance(result, Spanned) else None
            for position, region in enumerate(regions if isinstance(regions, list) else []):
                if isinstance(region, Spanned) and isinstance(region.get("value"), Spanned):
                    yield f"{kind}[{number}].result[{position}]", region, region["value"]


def _photograph_names(data: dict[str, Any]) -> tuple[list[str], list[str]]:
    """List what a task's photograph may be called: a path, an URL, a local file's; and an upload's without prefix."""
    texts = [text for text in (data.get("image"), *data.values()) if isinstance(text, str) and text]
    pictures = [text for text in texts if any(suffix in text.lower() for suffix in PHOTOGRAPHS)] or texts
    names, others = [], []
    for text in pictures[:1]:
        try:
            url = urlsplit(text)
            path, local = unquote(url.path), parse_qs(url.query).get("d", [])
        except ValueError:  # brackets that are no address
            path, local = text, []
        bare = path.rpartition("/")[2]
        names = [*local, path.lstrip("/") if path.startswith("/data/") else path]
        prefix, dash, rest = bare.partition("-")
        if dash and len(prefix) == 8:  # Label Studio puts eight random characters before an upload's name
            others.append(rest)
    return [name for name in names if name] or ["(none named)"], others


def _word(identity: Any, otherwise: str) -> str:
    return str(identity) if type(identity) in (int, str) else f"[{otherwise}]"
