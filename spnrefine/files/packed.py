"""Large hard masks, held as bools, a quarter of the memory of probabilities, and their files' pixels, held as bits."""

import math
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class Bits:
    """Pixels (H, W, 1), uint8, that are ``low`` or ``high``, a bit each."""

    bits: np.ndarray
    shape: tuple[int, ...]
    low: int
    high: int

    @classmethod
    def of(cls, pixels: np.ndarray, low: int, high: int) -> "Bits | None":
        """Pack pixels; None where they are other ones."""
        if pixels.dtype != np.uint8 or pixels.shape[2:] != (1,) or low == high:
            return None
        if any_where(lambda rows: (rows != low) & (rows != high), pixels[..., 0]):
            return None
        return cls(np.packbits(pixels == high), pixels.shape, low, high)

    def pixels(self) -> np.ndarray:
        """Make the pixels anew."""
        found = np.unpackbits(self.bits, count=math.prod(self.shape))
        found *= np.uint8((self.high - self.low) % 256)  # which wraps around where low is above high
        found += np.uint8(self.low)
        return found.reshape(self.shape)


class Pixels:
    """A dataclass's field that is an array whenever it is asked for; what is set as :class:`Bits` is made each time."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "Pixels": ...
    @overload
    def __get__(self, instance: object, owner: type) -> np.ndarray: ...
    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            raise AttributeError(self._name)  # so that the field has no default
        kept = vars(instance)[self._name]
        return kept.pixels() if isinstance(kept, Bits) else kept

    def __set__(self, instance: object, value: "np.ndarray | Bits") -> None:
        vars(instance)[self._name] = value


def keep_as_bits(raster: object, low: int, high: int) -> None:
    """Have pixels that hold these two values alone take a bit each until they are asked for, which is when written."""
    bits = Bits.of(vars(raster)["pixels"], low, high)
    if bits is not None:
        vars(raster)["pixels"] = bits


def _is_hard(mask: np.ndarray) -> bool:
    return not any_where(lambda rows: (rows != 0) & (rows != 1), mask)
