"""Large hard masks, held as bools: a quarter of the memory that they take as probabilities."""

from typing import Any, overload

import numpy as np

from spnrefine.boxes.where import any_where

LARGE = 1 << 23  # pixels, from which on it is worth looking whether a mask is hard


class Packed:
    """A dataclass's field that is probabilities, (H, W) float32, whenever it is asked for.

    Those of a large mask that holds 0 and 1 alone are kept as bools, and made anew each time. :func:`compact` gives
    what is kept.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "Packed": ...
    @overload
    def __get__(self, instance: object, owner: type) -> np.ndarray: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            raise AttributeError(self._name)  # so that the field has no default
        kept = compact(instance, self._name)
        return kept if kept.dtype == np.float32 else kept.astype(np.float32)

    def __set__(self, instance: object, value: np.ndarray) -> None:
        if value.size >= LARGE and value.dtype != np.bool_ and _is_hard(value):
            value = value > 0
        vars(instance)[self._name] = value


def compact(instance: object, name: str = "probability") -> np.ndarray:
    """Return a packed field as it is kept: (H, W) bool where it is a large hard mask, else float32 in 0..1."""
    kept: np.ndarray = vars(instance)[name]
    return kept


def _is_hard(mask: np.ndarray) -> bool:
    return not any_where(lambda rows: (rows != 0) & (rows != 1), mask)
