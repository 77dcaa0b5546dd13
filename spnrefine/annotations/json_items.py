"""An item whose values stand in a JSON text, to be patched there."""

from typing import Any

from spnrefine.annotations.items import Edit, Item
from spnrefine.annotations.json_spans import Spanned, dumps_like


class JsonItem(Item):
    """An item of ``text``; ``found`` is its object there, ``stated`` the photograph's (height, width) by the file."""

    found: Spanned
    text: str
    stated: tuple[Any, Any]
    tolerance: float

    def _edit(self, key: str, value: Any) -> Edit:
        start, end = self.found.spans[key]
        return Edit(start, end, dumps_like(value, self.text[start:end]))
