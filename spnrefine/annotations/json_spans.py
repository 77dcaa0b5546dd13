"""JSON read along with where its values stand in the text, so that one value can be replaced and no other touched."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in CPython and PyPy, missing in typeshed
from typing import Any, Union

from spnrefine.errors import FileError

Opened = Union[dict[str, Any], list[Any], "Kept", None]
"""Which containers to look into: ``{"annotations": [{}]}`` records the spans of each member of each annotation, and of
the top-level members; under `ANY` stands what goes for members without a key of their own. None, or a value of another
kind than said, is decoded as a whole. What a `Kept` makes of an object takes its place."""

ANY = "*"

_space = re.compile(r"[ \t\n\r]*").match
_decode = json.JSONDecoder().raw_decode


class Spanned(dict[str, Any]):
    """A JSON object that knows where its values stand: ``spans[key]`` is (start, end) in the text."""

    __slots__ = ("spans",)

    def __init__(self) -> None:
        super().__init__()
        self.spans: dict[str, tuple[int, int]] = {}


@dataclass(frozen=True)
class Kept:
    """Objects of which less is held than they say, as there are very many.

    Attributes
    ----------
    opened : what is looked into.
    keep : is given each, and where it begins in the text, and returns what is held.
    """

    opened: dict[str, Any]
    keep: Callable[[Spanned, int], Any]


def parse(text: str, name: str, opened: Opened) -> Any:
    """Parse JSON; objects that ``opened`` describes come as `Spanned`, with values of the last of equal keys.

    Raises
    ------
    FileError
        Naming ``name`` and the line, when the text is not one whole JSON value.
    """
    try:
        start = _space(text, 1 if text.startswith("\ufeff") else 0).end()  # type: ignore[union-attr]
        value, end = _value(text, start, opened)
        end = _skip(text, end)
        if end != len(text):
            raise json.JSONDecodeError("text after the end", text, end)
        return value
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise FileError(f"{name} is not whole JSON ({error.msg}, {where}): export or copy it again.") from error
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits; nested without end
        raise FileError(f"{name} holds JSON that no annotation tool writes ({error}): export it again.") from error


def read_object(text: str, start: int) -> Spanned:
    """Read once more an object of a text that was parsed, with the spans of its members, from where it begins."""
    return _object(text, start + 1, {})[0]


def dumps_like(value: Any, text: str) -> str:
    """Write ``value`` as JSON on one line, with spaces after commas unless ``text``, the old value, has none."""
    compact = "," in text and not re.search(r",\s", text)
    return json.dumps(value, separators=(",", ":") if compact else None)


def _value(text: str, position: int, opened: Opened) -> tuple[Any, int]:
    first = text[position : position + 1]
    if first == "{" and isinstance(opened, Kept):
        found, end = _object(text, position + 1, opened.opened)
        return opened.keep(found, position), end
    if first == "{" and isinstance(opened, dict):
        return _object(text, position + 1, opened)
    if first == "[" and isinstance(opened, list):
        return _array(text, position + 1, opened[0])
    try:
        return _decode(text, position)
    except StopIteration as error:
        raise json.JSONDecodeError("value expected", text, position) from error


def _object(text: str, position: int, opened: dict[str, Any]) -> tuple[Spanned, int]:
    found = Spanned()
    position = _skip(text, position)
    if text[position : position + 1] == "}":
        return found, position + 1
    while True:
        if text[position : position + 1] != '"':
            raise json.JSONDecodeError("a key in double quotes expected", text, position)
        key, position = scanstring(text, position + 1, True)
        key = sys.intern(key)  # objects of a list have the same ones
        start = _skip(text, _expect(text, _skip(text, position), ":"))
        found[key], end = _value(text, start, opened.get(key, opened.get(ANY)))
        found.spans[key] = (start, end)
        position = _skip(text, end)
        if text[position : position + 1] == "}":
            return found, position + 1
        position = _skip(text, _expect(text, position, ","))


def _array(text: str, position: int, opened: Opened) -> tuple[list[Any], int]:
    found: list[Any] = []
    position = _skip(text, position)
    if text[position : position + 1] == "]":
        return found, position + 1
    while True:
        value, position = _value(text, position, opened)
        found.append(value)
        position = _skip(text, position)
        if text[position : position + 1] == "]":
            return found, position + 1
        position = _skip(text, _expect(text, position, ","))


def _skip(text: str, position: int) -> int:
    return _space(text, position).end()  # type: ignore[union-attr]  # it matches the empty string as well


def _expect(text: str, position: int, mark: str) -> int:
    if text[position : position + 1] != mark:
        raise json.JSONDecodeError(f"{mark!r} expected", text, position)
    return position + 1
