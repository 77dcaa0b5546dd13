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
    SpnRefineError
        For an unknown name or a value of another kind.
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
        if type(value) is not type(old) or (isinstance(old, tuple) and _shape(value, old) != _shape(old, old)):
            raise SpnRefineError(f"{setting!r} does not fit: expected a value like {name}={old!r}.")
        known[name] = value
    return replace(recipe, **known)


def _shape(value: tuple[Any, ...], like: tuple[Any, ...]) -> object:
    """Return what two values of a setting have in common: spans their length, lists of any length what a row is."""
    if isinstance(like[0], float):
        return len(value)
    return {len(row) if isinstance(row, tuple) else type(row) for row in value}


def as_plain(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as JSON would hold it."""
    return {name: list(map(list, value)) if name == "batches" else value for name, value in asdict(recipe).items()}
