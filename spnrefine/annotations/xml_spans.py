"""XML read along with where the values of its attributes stand in the text, so that one can be replaced alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from spnrefine.errors import FileError

ENCODING = "latin-1"
"""Positions count bytes: in this encoding every byte is one character, and what is replaced is ASCII alone."""

_name = re.compile(r"<[^\s/>]+")
_attribute = re.compile(r"\s*([^\s=]+)\s*=\s*(\"[^\"]*\"|'[^']*')")


@dataclass(frozen=True)
class Element:
    """A start tag.

    Attributes
    ----------
    tag, attributes : as in the document, entities resolved.
    start : where the tag stands in the text.
    depth : 0 for the root.
    """

    tag: str
    attributes: dict[str, str]
    start: int
    depth: int


def elements(data: bytes, name: str) -> list[Element]:
    """List all elements of an XML document in order.

    Raises
    ------
    FileError
        Naming ``name``, when it is not whole XML, brings entities of its own, or is not written in an encoding in which
        ASCII is ASCII.
    """
    found: list[Element] = []
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        found.append(Element(tag, attributes, parser.CurrentByteIndex, depth))
        depth += 1

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise FileError(f"{name} has a document type of its own, which no annotation tool writes: export it again.")

    if b"\0" in data:
        raise FileError(f"{name} is not UTF-8 text: export it again as UTF-8.")
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse  # entities that expand without end are declared there
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FileError(f"{name} is not whole XML ({error}): export or copy it again.") from error
    except (LookupError, ValueError) as error:  # an encoding that does not exist, or is no encoding of text
        raise FileError(f"{name} is in an encoding that is not known ({error}): export it as UTF-8.") from error
    return found


def spans(text: str, element: Element) -> dict[str, tuple[int, int]]:
    """Say where an element's attributes have their values in ``text``, the document in `ENCODING`; quotes aside."""
    return {match[1]: (match.start(2) + 1, match.end(2) - 1) for match in _attributes(text, element.start)}


def _attributes(text: str, position: int) -> Iterator[re.Match[str]]:
    opening = _name.match(text, position)
    match = _attribute.match(text, opening.end()) if opening else None
    while match:
        yield match
        match = _attribute.match(text, match.end())
