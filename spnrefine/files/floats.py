"""Floats of a mask: probabilities that rounding carried past 0 and 1, and ids that a program keeps as floats."""

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.levels import in_words

ROUNDING = 1e-5
"""How far past 0 and 1 a sum or a product of float32 probabilities may come to lie."""

LARGEST = 2**53
"""Whole numbers beyond it are not told apart as floats of 64 bits."""


def rounded_into_range(values: np.ndarray) -> np.ndarray:
    """Clip floats to 0..1 that are past it by rounding alone; return others as they are."""
    past = max(ROUNDING, float(np.finfo(values.dtype).eps))
    low, high = float(values.min()), float(values.max())
    if (low < 0 or high > 1) and low >= -past and high <= 1 + past:
        return np.clip(values, 0, 1)
    return values


def starts_at_minus_one(values: np.ndarray, void: object) -> bool:
    """Whether floats are whole numbers from -1 on: ids, as networks of instances give them, -1 the background."""
    return void != -1 and values.min() == -1 and _are_whole(values)


def whole_numbers(values: np.ndarray, name: str) -> np.ndarray:
    """Turn floats that are ids into integers, int64.

    Raises
    ------
    FileError
        They are no whole numbers, or too large to be told apart.
    """
    if not _are_whole(values):
        raise FileError(f"{name} holds {values.dtype.name} numbers that are not whole: read it without --labels.")
    if float(np.abs(values).max()) > LARGEST:
        raise FileError(
            f"{name} holds {values.dtype.name} numbers up to {np.abs(values).max():g}: give ids up to {LARGEST} with "
            "--labels, or probabilities in 0..1 without."
        )
    return values.astype(np.int64)


def outside_in_words(values: np.ndarray) -> tuple[str, str]:
    """Say what floats are that are no probabilities, and what to do."""
    if _are_whole(values) and values.min() >= 0:
        held = f"the whole numbers {in_words({int(value) for value in np.unique(values)})} as floats, outside 0..1"
        return held, "give --labels if they are ids, or divide them if they are probabilities"
    return outside(
        values
    ), "give probabilities in 0..1 (of logits their sigmoid), or ids as whole numbers with --labels"


def outside(values: np.ndarray) -> str:
    """Say what is outside 0..1: numbers, or what is no number."""
    return "numbers outside 0..1" + ("" if bool(np.isfinite(values).all()) else ", NaN or infinite ones among them")


def _are_whole(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).all()) and bool((values == np.floor(values)).all())
