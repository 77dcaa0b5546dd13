"""Part of the way: a contour between the coarse and the refined one.

Half-way between two contours that err independently is nearer to the truth than either.
"""

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import bounding_box
from spnrefine.refiner.choice import Choice
from spnrefine.refiner.contour import contour_distance, distance_to
from spnrefine.refiner.off import object_size


def settled(
    coarse: NDArray[np.float32], refined: NDArray[np.float32], choice: Choice, threshold: float = 0.5
) -> NDArray[np.float32]:
    """Return ``refined`` with its contour where a choice puts it.

    Parameters
    ----------
    coarse, refined : (H, W) float32 in 0..1, before and after refinement.
    threshold : the contour of the result is where the probability is this.

    Returns
    -------
    (H, W) float32 in 0..1: the probabilities mixed by the strength, and held on the side of ``threshold`` that the new
    contour puts them on; ``refined`` itself for a choice that leaves it there.
    """
    if choice.is_usual:
        return refined
    if choice.leaves_alone:
        return coarse
    before = coarse > threshold
    after = refined > (threshold if choice.level is None else choice.level)
    size = object_size(coarse) if choice.grow or choice.band is not None else 0.0
    inside = between(before, after, choice.strength, choice.grow * size)
    if choice.band is not None:
        inside = np.where(contour_distance(before) > choice.band * size, before, inside)
    return held(coarse + np.float32(choice.strength) * (refined - coarse), inside, threshold)


def between(
    before: NDArray[np.bool_], after: NDArray[np.bool_], strength: float, grow: float = 0.0
) -> NDArray[np.bool_]:
    """Return the mask (H, W) whose contour lies at ``strength`` of the way between those of two masks (H, W).

    Where one of them has no contour there is no way between them: the result is ``before`` below a half of it, else
    ``after``. In the end the contour is moved ``grow`` pixels out, or in below 0.
    """
    box = bounding_box(before | after)
    if box is None or (grow == 0 and np.array_equal(before, after)):
        return after
    here = box.grown(2 + int(abs(grow)), *before.shape).slices  # all that either has of contours
    first, last = signed_distance(before[here]), signed_distance(after[here])
    if first is None or last is None:
        return before if strength < 0.5 else after
    mixed = after.copy()
    mixed[here] = (1 - strength) * first + strength * last + grow > 0
    return mixed


def signed_distance(inside: NDArray[np.bool_]) -> NDArray[np.float32] | None:
    """Return each pixel's distance (H, W) to the contour, in pixels: above 0 ``inside``; None where all is one side."""
    if inside.all() or not inside.any():
        return None
    return np.where(inside, distance_to(~inside) - 0.5, 0.5 - distance_to(inside)).astype(np.float32)


def held(probability: NDArray[np.float32], inside: NDArray[np.bool_], threshold: float = 0.5) -> NDArray[np.float32]:
    """Return a probability map (H, W) that is above ``threshold`` just where ``inside``, (H, W) bool, says so."""
    limit = np.float32(threshold)
    just_above = np.nextafter(limit, np.float32(2))
    return np.where(inside, np.maximum(probability, just_above), np.minimum(probability, limit))
