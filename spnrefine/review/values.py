"""What a record holds, or None where it holds something else: records may come from a file that anyone wrote."""

import math
from collections.abc import Mapping
from typing import Any


def number(value: Any) -> float | None:
    """A finite number as a float; anything else is None."""
    if value is None or isinstance(value, str | bytes):
        return None
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def text(value: Any) -> str | None:
    """Any value but None and the empty string as a string."""
    return None if value is None or value == "" else str(value)


def pair(record: Mapping[str, Any], name: str) -> list[int] | None:
    """The counts ``NAME_before`` and ``NAME_after``, where both are known."""
    before, after = (number(record.get(f"{name}_{when}")) for when in ("before", "after"))
    return None if before is None or after is None else [int(before), int(after)]
