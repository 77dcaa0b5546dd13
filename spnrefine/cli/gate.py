"""The gate of ``spnrefine eval``: floors and ceilings of what was measured."""

from collections.abc import Iterator
from typing import Any


def missed(row: dict[str, Any], floors: dict[str, float | None], ceilings: dict[str, float | None]) -> list[str]:
    """Say in a sentence each which floor or ceiling is missed; what is not defined misses all."""
    return [*_below(row, floors), *_above(row, ceilings)]


def _below(row: dict[str, Any], floors: dict[str, float | None]) -> Iterator[str]:
    for name, floor in floors.items():
        if floor is not None and row[name] is None:
            yield f"{name} is not defined, so that the floor of {floor} is missed."
        elif floor is not None and row[name] < floor:
            yield f"{name} is {row[name]:.4f}, below the floor of {floor}."


def _above(row: dict[str, Any], ceilings: dict[str, float | None]) -> Iterator[str]:
    for name, ceiling in ceilings.items():
        if ceiling is not None and row[name] is None:
            yield f"{name} is not defined, so that the ceiling of {ceiling} is missed."
        elif ceiling is not None and row[name] > ceiling:
            yield f"{name} is {row[name]:.4f}, above the ceiling of {ceiling}."
