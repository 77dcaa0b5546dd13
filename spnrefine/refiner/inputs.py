"""What people give to the Python interface, as arrays: NumPy's, or what can be turned into them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import ShapeError

ROUNDING = 1e-5
"""How far past 0 and 1 a sum or a product of float32 probabilities may come to lie."""


MOST_LEVELS = 256
"""Integers that go further, most of them beside others, are a picture's levels."""


def as_array(given: Any, what: str) -> NDArray:
    """Turn an array, a PIL image, a list of lists or a torch tensor, on any device, into an array.

    Parameters
    ----------
    what : names it in an error: 'image' or 'mask'.

    Raises
    ------
    ShapeError
        It is none of these, or a picture with a palette, whose numbers are no brightness.
    """
    if isinstance(given, np.ndarray):
        return given
    if getattr(given, "mode", None) in ("P", "PA"):
        raise ShapeError(f"The {what} is a picture with a palette: convert it to gray or RGB.")
    if hasattr(given, "detach"):
        given = given.detach().cpu()
    try:
        array = np.asarray(given)
    except (TypeError, ValueError) as error:  # lines of several lengths; a tensor of a type that NumPy lacks
        raise ShapeError(f"The {what} is no array ({error}): expected one, or a picture, list or tensor.") from error
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        raise ShapeError(f"The {what} is of type {type(given).__name__}: expected an array, picture, list or tensor.")
    return array


def as_image(given: Any) -> NDArray[np.uint8]:
    """Turn an image into an array (H, W, 3), uint8, of one pixel at least; `ShapeError` where that cannot be."""
    image = as_array(given, "image")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ShapeError(f"The image has shape {image.shape} and type {image.dtype}: expected (H, W, 3) uint8.")
    if not image.size:
        raise ShapeError(f"The image has shape {image.shape}: expected at least one pixel.")
    return image


def check_shapes(image: NDArray, coarse: NDArray) -> None:
    """Raise :class:`ShapeError` unless ``image`` is (H, W, 3) uint8 and ``coarse`` is (H, W)."""
    as_image(image)
    if coarse.shape != image.shape[:2]:
        raise ShapeError(
            f"The mask has shape {coarse.shape}, the image {image.shape}: expected equal height and width."
        )


def as_probability(coarse: NDArray) -> NDArray:
    """Lay out a mask of bools or probabilities, (H, W), row by row, the latter as float32; a copy only where needed.

    Integers that are 0 and 255, as hard masks have in files, become bools.

    Raises
    ------
    ShapeError
        Numbers outside 0..1, rounding aside, or NaN; or no numbers.
    """
    if coarse.dtype == np.bool_:
        return np.ascontiguousarray(coarse)
    if coarse.dtype.kind not in "iuf":
        raise ShapeError(f"The mask has type {coarse.dtype}: expected bools, or probabilities in 0..1.")
    hard = _of_two_values(coarse)
    if hard is not None:
        return np.ascontiguousarray(hard)
    probability = np.ascontiguousarray(coarse, np.float32)
    low, high, past = float(probability.min()), float(probability.max()), _past(coarse.dtype)
    if not (low >= -past and high <= 1 + past):  # nor are comparisons with NaN true
        raise ShapeError(
            f"The mask holds numbers from {low:g} to {high:g}: expected bools, or probabilities in 0..1, as levels and "
            "ids are for spnrefine.refine alone."
        )
    return probability


def to_probability(mask: NDArray) -> NDArray[np.float32]:
    """Turn a mask as :func:`spnrefine.refine` takes it into probabilities, (H, W) float32 in 0..1.

    Raises
    ------
    ShapeError
        Another type, floats outside 0..1, or integers beside 0 and 1, or 0 and 255.
    """
    if mask.dtype == np.uint8 and mask.size:
        return np.divide(mask, top_of(mask), dtype=np.float32)
    if mask.dtype in (np.bool_, np.uint8):
        return mask.astype(np.float32)
    if np.issubdtype(mask.dtype, np.floating):
        probability = mask.astype(np.float32)
        past = _past(mask.dtype)
        if not ((probability >= -past) & (probability <= 1 + past)).all():
            raise ShapeError(
                "The mask holds floats outside 0..1 or NaN: expected probabilities, of logits their sigmoid or softmax."
            )
        return np.clip(probability, 0, 1)
    hard = _of_two_values(mask)
    if hard is not None:
        return hard.astype(np.float32)
    integers = "integers that are 0 and 1, or 0 and 255" if mask.dtype.kind in "iu" else "integers"
    raise ShapeError(f"The mask has type {mask.dtype}: expected bool, uint8 or float, or {integers}.")


def top_of(mask: NDArray) -> int:
    """Return the number that stands for 1 in a mask as :func:`spnrefine.refine` takes it.

    Of uint8 it is 255, but where 0 and one other value occur alone: that is the object then, as it is in files.
    """
    top = int(mask.max(initial=0)) if mask.dtype.kind in "iu" else 1
    if mask.dtype == np.uint8 and top > 1:
        background = mask == 0
        return top if background.any() and bool((background | (mask == top)).all()) else 255
    return max(top, 1)


def _of_two_values(mask: NDArray) -> NDArray[np.bool_] | None:
    """Return where a mask of integers, 0 and 1 or 0 and 255 alone, is not 0; None for any other."""
    top = mask.max(initial=1) if mask.dtype.kind in "iu" else None
    return mask == top if top in (1, 255) and bool(((mask == 0) | (mask == top)).all()) else None


def _past(kind: np.dtype) -> float:
    """Return how far past 0 and 1 probabilities of a type may lie."""
    return max(ROUNDING, float(np.finfo(kind).eps)) if kind.kind == "f" else 0.0


def are_ids(mask: NDArray) -> bool:
    """Tell whether a mask is a map of ids, (H, W) integers of another type than uint8 and not of two values.

    Raises
    ------
    ShapeError
        There is one below -1; or they are so many, and so unlike their neighbours, that they are no ids.
    """
    if mask.ndim != 2 or mask.dtype.kind not in "iu" or mask.dtype == np.uint8 or not mask.size:
        return False
    low, top = int(mask.min()), int(mask.max())
    if low >= 0 and top in (0, 1, 255) and bool(((mask == 0) | (mask == top)).all()):
        return False
    if low < -1:
        raise ShapeError(f"The mask holds {low}: expected bool, uint8 or float, or ids from 0 on, or from -1.")
    if top - low > MOST_LEVELS and np.count_nonzero(mask[:, 1:] == mask[:, :-1]) < mask[:, 1:].size / 2:
        raise ShapeError(f"The mask holds levels up to {top} of type {mask.dtype}: expected probabilities in 0..1.")
    return True


class Rebuilt:
    """Pickled and copied as what it was made with: its network is loaded again.

    A subclass calls :meth:`_made_with` when it is made.
    """

    _again: Callable[[], Any]

    def _made_with(self, *arguments: Any, **options: Any) -> None:
        self._again = partial(type(self), *arguments, **options)

    def _made_again_with(self, **options: Any) -> None:
        self._again = partial(self._again, **options)

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        return self._again, ()
