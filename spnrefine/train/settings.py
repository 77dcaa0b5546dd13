"""Changing single numbers of the recipe by name, and writing all of them down."""

import ast
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any

from spnrefine.errors import SpnRefineError
from spnrefine.train.recipe import Recipe


def with_settings(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Return ``recipe`` with each ``NAME=VALUE`` applied, the value written as in Python.

    Raises
    ------
    SpnRefineError   for an unknown name or a value of another kind.
    """
    known = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in known:
            raise SpnRefineError(f"The recipe has no {name!r}: expected one of {', '.join(sorted(known))}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = None
        old = known[name]
        if isinstance(old, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(old) or (isinstance(old, tuple) and _shape(value) != _shape(old) != ()):
            raise SpnRefineError(f"{setting!r} does not fit: expected a value like {name}={old!r}.")
        known[name] = value
    return replace(recipe, **known)


def _shape(value: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the length of a span, or of each row of a list of any length."""
    return tuple({len(row) for row in value}) if value and isinstance(value[0], tuple) else (len(value),)


def as_plain(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as JSON would hold it."""
    return {name: list(map(list, value)) if name == "batches" else value for name, value in asdict(recipe).items()}
