"""A mask that is already as exact as the network can see stays as it came, and so does what was refined before."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import strips
from spnrefine.boxes.where import above, count_where
from spnrefine.refiner.contour import SOFT_EDGE, contour_length, inner_contour, unsure

LEAST_MOVE = 0.2
"""Pixels, as the network saw them, by which the contour has to move on average for the network to be believed.

On held-aside photographs it moved true masks by 0.1 (95 of 100 by less than 0.9), its own output by 0.02, and polygons
as annotators draw them by 1.2 (5 of 100 by less than 0.56).
"""
AMONG_EXACT = 3.0  # times as far a single part may have moved where all of them together moved less than that


def keep_exact(
    coarse: NDArray[np.float32],
    refined: NDArray[np.float32],
    scale: float = 1.0,
    numbers: NDArray[np.int32] | None = None,
) -> NDArray[np.float32]:
    """Hold ``refined`` on the side of a half that ``coarse`` is on where both contours are as good as one.

    Only where a mask is hard, or nearly: the contour of a soft map is not meant to be exact.

    Parameters
    ----------
    coarse, refined : (H, W) float32 in 0..1, before and after refinement.
    scale : of the photograph's resolution that the network saw; above 1 where that was enlarged.
    numbers : (H, W) int32, which part each pixel belongs to: each is judged by itself; None: there is one.

    Returns
    -------
    ``refined``, changed in place; as it was where every contour moved.
    """
    moved = _counts(_moves, numbers, coarse, refined)
    if not moved.any():
        return refined
    inside = above(coarse, 0.5)
    soft = _counts(unsure, numbers, coarse)
    length = np.array([contour_length(inside)]) if numbers is None else _counts(inner_contour, numbers, inside)
    least = LEAST_MOVE / min(scale, 1.0)
    if moved.sum() <= least * length.sum():
        least *= AMONG_EXACT
    exact = (moved <= least * length) & (soft <= SOFT_EDGE * length)
    if not exact[moved > 0].any():
        return refined
    just_above = np.nextafter(np.float32(0.5), np.float32(1))
    for rows in strips(*coarse.shape):
        here, within = refined[rows], inside[rows]
        held = np.where(within, np.maximum(here, just_above), np.minimum(here, np.float32(0.5)))
        np.copyto(here, held, where=True if numbers is None else exact[numbers[rows]])
    return refined


def _moves(coarse: NDArray[np.float32], refined: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.not_equal(above(coarse, 0.5), refined > 0.5)


def _counts(
    mark: Callable[..., NDArray[np.bool_]], numbers: NDArray[np.int32] | None, *pictures: NDArray
) -> NDArray[np.int64]:
    """Count the pixels of each number that ``mark`` marks in pictures, or all of them."""
    if numbers is not None:
        return np.bincount(numbers[mark(*pictures)], minlength=int(numbers.max()) + 1)
    return np.array([count_where(mark, *pictures)])
