"""Stacks of planes, (K, H, W): the probabilities of classes, or masks that are independent of each other."""

from dataclasses import dataclass, replace

import numpy as np

from spnrefine.errors import FileError
from spnrefine.files.floats import outside, rounded_into_range
from spnrefine.files.orientation import turn
from spnrefine.files.resampling import bilinear

CLOSE = 0.01
"""How far from 1 the sum of a pixel's probabilities may be, rounding aside."""


FEW = 12
"""So many values, or fewer, are no probabilities of 8 bits."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes that belong together.

    Attributes
    ----------
    planes : (K, H, W) float32 array in 0..1.
    is_distribution : whether the planes sum to 1 at every pixel: the probabilities of classes that exclude each other,
        of which plane 0 is the background, or takes what the others leave. Otherwise each plane is a mask of its own.
    """

    planes: np.ndarray
    is_distribution: bool

    @property
    def any_object(self) -> np.ndarray:
        """The probability (H, W) that there is any object."""
        return np.clip(1 - self.planes[0], 0, 1) if self.is_distribution else self.planes.max(axis=0)

    def decide(self, planes: np.ndarray, threshold: float) -> np.ndarray:
        """Turn probabilities (K, H, W) into hard planes: of a distribution the most probable one alone is True."""
        if self.is_distribution:
            return one_hot(planes.argmax(axis=0), len(planes))
        return planes > threshold

    def ids(self, threshold: float) -> np.ndarray:
        """Return the most probable plane of each pixel, (H, W) uint16; of independent ones the topmost, from 1 up."""
        if self.is_distribution:
            return self.planes.argmax(axis=0).astype(np.uint16)
        return topmost(self.planes > threshold)

    def turned(self, orientation: int) -> "Stack":
        return replace(self, planes=np.stack([turn(plane, orientation) for plane in self.planes]))

    def resized(self, shape: tuple[int, int]) -> "Stack":
        return replace(self, planes=np.stack([bilinear(plane, shape) for plane in self.planes]))


def read_stack(pixels: np.ndarray, name: str) -> tuple[Stack, int]:
    """Understand an (H, W, K) array of bools, 8 bits, zeros and ones, or floats in 0..1; also return what stands for 1.

    Raises
    ------
    FileError
        Other numbers.
    """
    top, rounding = 1, 0.0
    if pixels.dtype.kind == "f":
        pixels = rounded_into_range(pixels)
        if not bool(np.isfinite(pixels).all()) or pixels.min() < 0 or pixels.max() > 1:
            raise FileError(
                f"{name} holds {outside(pixels)}: give probabilities in 0..1 (of logits of classes their softmax, of "
                "objects each by itself their sigmoid), or one plane of ids."
            )
    elif pixels.dtype == np.uint8 and pixels.max() > 1:
        top, rounding = 255, 0.5 / 255
    elif pixels.dtype.kind != "b" and (pixels.min() < 0 or pixels.max() > 1):
        given = f"{pixels.shape[2]} planes of {pixels.dtype.name} numbers beyond 0 and 1"
        raise FileError(
            f"{name} holds {given}: give probabilities as floats in 0..1 or in 8 bits, or --labels where each plane "
            "holds ids."
        )
    planes = np.ascontiguousarray(np.moveaxis(pixels, 2, 0), np.float32) / np.float32(top)
    away = np.abs(planes.sum(axis=0, dtype=np.float64) - 1).max()
    stack = Stack(planes, bool(away <= CLOSE + rounding * len(planes)))
    if top == 255 and not stack.is_distribution:
        _check_levels(pixels, name)
    return stack, top


def _check_levels(pixels: np.ndarray, name: str) -> None:
    """Refuse 8-bit planes of a few values that are neither 0 and 255 nor sum to 1: they may well be ids."""
    levels = np.flatnonzero(np.bincount(pixels.ravel(), minlength=256))
    if len(levels) <= FEW and not {0, 255} >= set(levels.tolist()):
        held = ", ".join(map(str, levels))
        raise FileError(
            f"{name} holds planes of the values {held}: give --labels where they are ids, or planes of 0 and 255, or "
            "probabilities as floats."
        )


def one_hot(ids: np.ndarray, count: int) -> np.ndarray:
    """Turn ids (H, W) into ``count`` planes (K, H, W) of bools."""
    return ids == np.arange(count)[:, None, None]


def topmost(planes: np.ndarray) -> np.ndarray:
    """Lay bools (K, H, W) over each other: a pixel's id (H, W) is the last plane's there, counted from 1; 0 is none."""
    ids = np.zeros(planes.shape[1:], np.uint16)
    for number, plane in enumerate(planes, 1):
        ids[plane] = number
    return ids
