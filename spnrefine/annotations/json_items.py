"""An item whose values stand in a JSON text, to be patched there."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from spnrefine.annotations.items import Edit, Item
from spnrefine.annotations.json_spans import Spanned, dumps_like, read_object


@dataclass(eq=False, repr=False, kw_only=True)
class JsonItem(Item):
    """An item of ``text``.

    ``held`` is its object there, or where that begins, to be read when it is asked for; ``stated`` the photograph's
    (height, width) by the file, ``tolerance`` how far in pixels a written polygon may leave the mask's edge.
    """

    held: Spanned | int
    text: str
    stated: tuple[Any, Any]
    tolerance: float

    @property
    def found(self) -> Spanned:
        """The item's object in the text."""
        return read_object(self.text, self.held) if isinstance(self.held, int) else self.held

    def to_read(self) -> "JsonItem":
        own = copy(self)
        own.held, own.edits, own.text = self.found, (), ""
        return own

    def edit_like(self, key: str, values: Sequence[int]) -> Edit:
        """Put whole numbers, or the one, in the place of ``key``'s, as floats only where the file has floats."""
        whole = not any(mark in self.text[slice(*self.found.spans[key])] for mark in ".eE")
        listed: list[float] = list(values) if whole else [float(value) for value in values]
        return self._edit(key, listed if isinstance(self.found[key], list) else listed[0])

    def _edit(self, key: str, value: Any) -> Edit:
        start, end = self.found.spans[key]
        return Edit(start, end, dumps_like(value, self.text[start:end]))
