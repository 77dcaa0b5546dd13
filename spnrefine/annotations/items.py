"""What every annotation format gives: items to read and write, and files patched only where an item changed."""

import base64
import binascii
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError, ShapeError

Size = tuple[int, int]
"""(height, width) in pixels."""


class Edit(NamedTuple):
    """Text that takes the place of ``text[start:end]``."""

    start: int
    end: int
    text: str


@dataclass(eq=False, repr=False)
class Item(ABC):
    """One mask of an annotation file, with the photograph it was drawn on.

    Attributes
    ----------
    name : what records and errors call it, such as ``annotations.json#17``.
    photograph : Path of the photograph.
    problem : why the item cannot be worked on (its photograph is missing), or None; `read` raises it.
    embedded : the photograph itself in base64, where the annotation file holds it; ``photograph`` is then that file.
    category : what the object is, as the file calls it; None where it does not say.
    score : how sure is who found the object, where the file says so: COCO's results.
    crowd : whether it stands for many objects that nobody told apart: COCO's ``iscrowd``.
    edits : what `write` wants changed in the file; empty while the item is as it came.
    """

    name: str
    photograph: Path
    problem: str | None = None
    embedded: str | None = field(default=None, kw_only=True)
    category: str | None = field(default=None, kw_only=True)
    score: float | None = field(default=None, kw_only=True)
    crowd: bool = field(default=False, kw_only=True)
    edits: tuple[Edit, ...] = field(default=(), init=False)

    @property
    def identity(self) -> str:
        """What the object is called within its document: an id, a line, a position."""
        return self.name.rpartition("#")[2]

    @property
    def picture(self) -> Path | bytes:
        """What to read for the photograph: its path, or its bytes; FileError where these are damaged."""
        return self.photograph if self.embedded is None else decode_base64(self.embedded, f"{self.name} (imageData)")

    def read(self, size: Size) -> Boxed:
        """Decode the mask at the photograph's ``size``: bools, in the smallest box that holds it.

        Raises
        ------
        FileError
            Naming the item, when it cannot be worked on, holds no mask, or states another size.
        """
        if self.problem is not None:
            raise FileError(self.problem)
        return self._decode(size).tight()

    def write(self, mask: Boxed) -> None:
        """Put a refined mask, of bools and at the photograph's size, in the place of the one that was read.

        The mask that `read` gives leaves the file's own text, and undoes an earlier write.

        Raises
        ------
        FileError
            The format cannot hold the mask, such as an empty one; the item then stays as it was.
        """
        if mask.pixels.dtype != np.bool_:
            raise ShapeError(f"{self.name} was given a mask of {mask.pixels.dtype}: expected one of bools.")
        mask = mask.tight()
        self.edits = () if self.read(mask.size).equals(mask) else tuple(self._encode(mask))

    def forget(self) -> None:  # noqa: B027 -- most hold nothing
        """Let go of what is held for all items of a photograph, whose turn is over."""

    def to_read(self) -> "Item":
        """Return a copy that can be sent to another process and read there, but not written.

        It is small, as it is without the text of the whole file.
        """
        own = copy(self)
        own.edits = ()
        if hasattr(own, "text"):
            own.text = ""
        return own

    @abstractmethod
    def _decode(self, size: Size) -> Boxed: ...

    @abstractmethod
    def _encode(self, mask: Boxed) -> Iterable[Edit]: ...


class BadItem(Item):
    """An item that could not even be opened; its ``problem`` says what is wrong, and the file stays as it is."""

    def _decode(self, size: Size) -> Boxed:
        raise FileError(self.problem)

    def _encode(self, mask: Boxed) -> Iterable[Edit]:
        raise FileError(self.problem)


class File(Protocol):
    """A file of a document, with the items that stand in it.

    ``path`` is relative to the document's own folder; ``source`` says where the file lies if not there. ``objects``
    counts what it holds, boxes and points as well as masks.
    """

    path: Path
    items: list[Item]
    objects: int

    @property
    def source(self) -> Path | None: ...

    def patched(self) -> bytes:
        """Return the file's bytes with the edits of its items, and every other byte as it was."""


@dataclass
class TextFile:
    """A file's text and the items in it.

    ``path`` is relative to the document's own folder. ``encoding`` turns the text back into the very bytes it was.
    """

    path: Path
    text: str
    items: list[Item] = field(default_factory=list)
    encoding: str = "utf-8"
    objects: int = 0
    source: Path | None = None

    def patched(self) -> bytes:
        """Return the file's bytes with the edits of its items, and every other byte as it was."""
        pieces, position = [], 0
        for edit in sorted(edit for item in self.items for edit in item.edits):
            pieces += [self.text[position : edit.start], edit.text]
            position = edit.end
        return "".join([*pieces, self.text[position:]]).encode(self.encoding)


@dataclass
class Document:
    """An annotation file, or a folder of them, opened.

    Attributes
    ----------
    path : the file or folder.
    format : 'COCO', 'LabelMe', 'YOLO' ...: its name.
    files : its files in order, relative to ``path`` (for a single file: to its folder). Those behind a single file
        belong to it, and lie in a folder of its stem.
    stray : items that say what is wrong with files that could not be read; these go out as they came.
    photographs : all that the document speaks of and that were found, those without an item too.
    """

    path: Path
    format: str
    files: list[File]
    stray: list[Item] = field(default_factory=list)
    photographs: list[Path] = field(default_factory=list)

    @property
    def items(self) -> list[Item]:
        """All items, in the order of the files and within each file; those of unreadable files last."""
        return [item for file in self.files for item in file.items] + self.stray

    def outputs(self) -> dict[Path, bytes]:
        """Return the whole refined document: relative path to bytes, equal to the input's where nothing changed."""
        return {file.path: file.patched() for file in self.files}


def called(value: Any) -> str | None:
    """Return what a file calls the category of an object; None where that is neither text nor a whole number."""
    return str(value) if isinstance(value, str | int) and value != "" and not isinstance(value, bool) else None


def check_size(name: str, stated: tuple[Any, Any], size: Size) -> None:
    """Refuse a photograph of another size than the annotation states (height, width); None states nothing."""
    for number in stated:
        if number is not None and not (type(number) in (int, float) and 0 < number < 1e9):
            raise FileError(
                f"{name} states {str(number)[:20]!r} as a height or width: write the photograph's size in pixels."
            )
    if any(number is not None and number != own for number, own in zip(stated, size, strict=True)):
        drawn = f"was drawn on {_number(stated[1])} x {_number(stated[0])} pixels"
        raise FileError(f"{name} {drawn}, its photograph has {size[1]} x {size[0]}: give the photograph it belongs to.")


def numbers(name: str, values: Any) -> NDArray[np.float64]:
    """Turn a list of finite JSON numbers into a float array, or raise FileError."""
    if isinstance(values, list) and all(type(value) in (int, float) for value in values):
        try:
            array = np.array(values, np.float64)
        except OverflowError:  # an integer beyond the floats
            array = np.array([math.inf])
        if np.isfinite(array).all():
            return array
    raise FileError(f"{name} holds coordinates that are not all finite numbers: correct or remove it.")


def pairs(name: str, value: Any) -> NDArray[np.float64]:
    """Turn ``[[x, y], ...]`` into an (N, 2) float array, or raise FileError."""
    if not isinstance(value, list) or not all(isinstance(point, list) and len(point) == 2 for point in value):
        raise FileError(f"{name} should hold its points as [x, y] pairs and does not: correct or remove it.")
    return numbers(name, [number for point in value for number in point]).reshape(-1, 2)


def check_not_empty(name: str, mask: Boxed, kind: str) -> None:
    """Refuse an empty mask where the format has no way to write one."""
    if not mask.pixels.any():
        raise FileError(f"{name} came out empty, which a {kind} cannot hold: it is left as it was.")


def decode_base64(text: str, name: str) -> bytes:
    """Decode base64 strictly, or raise FileError naming ``name``."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FileError(f"{name} is not whole base64 ({error}): export it again.") from error


def decode_text(data: bytes, name: str) -> str:
    """Decode UTF-8 strictly, so that encoding gives the same bytes again; a byte order mark stays in the text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileError(f"{name} is not UTF-8 text (byte {error.start}): export it again as UTF-8.") from error


def _number(number: Any) -> str:
    return "?" if number is None else f"{number:g}"
