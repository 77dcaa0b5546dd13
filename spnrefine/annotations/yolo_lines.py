"""The lines of YOLO's labels, and what their numbers are: polygons, oriented boxes or poses; confidence and track id.

Nothing in a file says what it was made for. Ultralytics writes ``class``, the coordinates, and behind them the
confidence, the track's id, or both. Oriented boxes are four corners, poses a box and key points.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError
from spnrefine.files.limits import Content
from spnrefine.files.opening import read_bytes

_words = re.compile("[^\\s\ufeff]+")  # a byte order mark is no part of a word
_class = re.compile(r"\d+(\.0*)?")  # some tools write 3.0
_key_points = re.compile(rb"^kpt_shape\s*:", re.MULTILINE)

BOX = 4  # centre, width and height
CORNERS = 8
ENOUGH = 5  # lines of which all look like poses, where one might by chance


class Kind(Enum):
    """What a document's lines hold."""

    POLYGONS = "polygons"
    ORIENTED_BOXES = "oriented boxes"
    POSES = "poses"


@dataclass(frozen=True)
class Line:
    """A line that is not blank.

    Attributes
    ----------
    number : counted from 1.
    spans : where its words stand in the text.
    values : (N,) of the words behind the class; None where these are not all finite numbers, or there is no class.
    last_is_whole : if the last word is written in digits alone, as an id is.
    tail : how many of the values, at their end, are confidence and track id.
    """

    number: int
    spans: list[tuple[int, int]]
    values: NDArray[np.float64] | None
    last_is_whole: bool
    tail: int = 0

    @property
    def coordinates(self) -> NDArray[np.float64]:
        return np.empty(0) if self.values is None else self.values[: len(self.values) - self.tail]


def read_lines(text: str) -> list[Line]:
    """Split one file's text, and tell the tails of its lines.

    A number left over is a confidence or an id. Two more keep the count even: the last pair is no point where its y
    is a whole number beyond the picture and all else within it; 1 might be its lower edge, and is an id only where
    nothing else in the line reaches an edge and every line of the file may end in an id.
    """
    found, end = [], 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        start, end = end, end + len(line)
        words = [(match.group(), start + match.start(), start + match.end()) for match in _words.finditer(line)]
        if words:
            values = [_number(word) for word, _, _ in words]
            good = _class.fullmatch(words[0][0]) and None not in values
            array = np.array(values[1:], np.float64) if good else None
            found.append(Line(number, [span for _, *span in words], array, words[-1][0].isdigit()))  # type: ignore[misc]
    ids = [_track_id(line) for line in found]
    even = [number for line, number in zip(found, ids, strict=True) if _is_even(line)]
    all_tracked = None not in even
    return [
        Line(line.number, line.spans, line.values, line.last_is_whole, _tail(line, number, all_tracked))
        for line, number in zip(found, ids, strict=True)
    ]


def is_yolo(text: str) -> bool:
    """Tell YOLO by its first line that is not blank: a class, and four numbers or more."""
    lines = read_lines(text)
    return bool(lines) and lines[0].values is not None and len(lines[0].values) >= BOX


def tell(lines: Sequence[Line], folder: Path) -> Kind:
    """Tell what the lines of a document are: all as long as each other, where they are no polygons.

    ``folder`` is the document's: ``kpt_shape`` in the data set's YAML, there or above, says that they are poses.
    """
    some = [line.coordinates for line in lines if line.values is not None]
    if not some or len({len(values) for values in some}) > 1 or len(some[0]) <= BOX:
        return Kind.POLYGONS
    values = np.array(some)
    if values.shape[1] == CORNERS and _are_oriented_boxes(values.reshape(-1, 4, 2)):
        return Kind.ORIENTED_BOXES
    return Kind.POSES if _says_poses(folder) or _are_poses(values) else Kind.POLYGONS


def _is_even(line: Line) -> bool:
    return line.values is not None and len(line.values) > BOX and len(line.values) % 2 == 0


def _track_id(line: Line) -> int | None:
    if not _is_even(line) or line.values is None or not line.last_is_whole:
        return None
    number, others = int(line.values[-1]), np.abs(line.values[:-1]).max()
    return number if (number > 1 and others <= 1) or (number == 1 and others < 1) else None


def _tail(line: Line, track_id: int | None, all_tracked: bool) -> int:
    if line.values is None or len(line.values) <= BOX:
        return 0
    if len(line.values) % 2:
        return 1
    return 2 if track_id is not None and (track_id > 1 or all_tracked) else 0


def _are_oriented_boxes(corners: NDArray[np.float64]) -> bool:
    """Tell if (N, 4, 2) corners are all parallelograms, which boxes stay as shares; upright alone says nothing."""
    sides = np.diff(corners, axis=1)
    longest = np.abs(sides).max(axis=(1, 2))
    gaps = np.abs(sides[:, 0] + sides[:, 2]).max(axis=1)
    upright = (np.abs(sides[:, 0]).min(axis=1) < 1e-4) & (np.abs(sides[:, 1]).min(axis=1) < 1e-4)
    return bool((gaps <= 0.05 * longest).all() and not upright.all())


def _are_poses(values: NDArray[np.float64]) -> bool:
    """Tell if (N, M) values are boxes with key points in them, which for a few polygons might be so by chance."""
    boxes, rest = values[:, None, :BOX], values[:, BOX:]
    if rest.shape[1] % 3 == 0 and np.isin(rest[:, 2::3], (0, 1, 2)).all():  # how visible each is
        return True
    if rest.shape[1] % 2 or rest.shape[1] < 4:
        return False
    points = rest.reshape(len(rest), -1, 2)
    known = (points != 0).any(axis=2)  # a key point that was not seen is at 0, 0
    inside = (np.abs(points - boxes[..., :2]) <= boxes[..., 2:] / 2 + 0.01).all(axis=2)
    if not (inside | ~known).all() or not known.any(axis=1).all():
        return False
    extent = np.where(known[..., None], points, -np.inf).max(axis=1) - np.where(known[..., None], points, np.inf).min(
        axis=1
    )
    if not (extent >= 0.3 * values[:, 2:BOX]).any(axis=1).all():
        return False
    return len(values) >= ENOUGH or bool(_second_stands_out(values.reshape(len(values), -1, 2)).all())


def _second_stands_out(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell where the ways to the second of (N, K, 2) points and on are longer than any other, as to no vertex."""
    ways = np.linalg.norm(np.diff(points, axis=1), axis=2)
    return ways[:, :2].min(axis=1) > ways[:, 2:].max(axis=1)


def _says_poses(folder: Path) -> bool:
    places = [folder, *folder.resolve().parents[:2]]
    files = [path for place in places for suffix in ("*.yaml", "*.yml") for path in sorted(place.glob(suffix))]
    return any(_key_points.search(_bytes(path)) for path in files)


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path, Content.SMALL)
    except FileError:  # what nobody asked to be read need not be readable
        return b""


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in word else None
