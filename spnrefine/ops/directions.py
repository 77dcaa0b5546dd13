"""The four scan directions and the ways to normalise gates: words that all backends share."""

from enum import IntEnum

from spnrefine.errors import SpnRefineError


class Direction(IntEnum):
    """Which way a scan runs; the order is that of the guidance's direction axis.

    Examples
    --------
    >>> [direction.name for direction in Direction if direction.horizontal]
    ['LEFT_TO_RIGHT', 'RIGHT_TO_LEFT']
    """

    LEFT_TO_RIGHT = 0
    RIGHT_TO_LEFT = 1
    TOP_TO_BOTTOM = 2
    BOTTOM_TO_TOP = 3

    @property
    def horizontal(self) -> bool:
        return self in (Direction.LEFT_TO_RIGHT, Direction.RIGHT_TO_LEFT)

    @property
    def reverse(self) -> bool:
        """True where the scan runs from the last line to the first."""
        return self in (Direction.RIGHT_TO_LEFT, Direction.BOTTOM_TO_TOP)


ALL_DIRECTIONS = tuple(Direction)

NORMALISATIONS = ("bounded", "unit", None)
"""``bounded`` divides gates by max(1, sum of |gates|), ``unit`` always divides, None takes them as they are."""


def check_normalise(normalise: str | None) -> None:
    """Raise :class:`SpnRefineError` unless ``normalise`` is one of :data:`NORMALISATIONS`."""
    if normalise not in NORMALISATIONS:
        raise SpnRefineError(f"normalise was {normalise!r}: expected 'bounded', 'unit' or None.")
