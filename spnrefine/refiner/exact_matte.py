"""Whether a matte that came in explains its photograph already, so that it had better stay."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.refiner.parts import find_parts, nearest

STEP = 2
"""Pixels by which a matte is moved to see whether it fits better there."""
STEEPER, FLATTER = 2.0, 2.0
"""Its ramp is made so many times as steep, and blurred by this standard deviation, to see the same."""
NEAR = 7
"""Radius in pixels within which colours of the object, and of what lies behind it, are averaged."""
WINDOW = 10
"""Radius in pixels of the stretch of contour that is judged at a time."""
AROUND = 24
"""Pixels around a part that are looked at with it."""
UNSURE = 0.02, 0.98
MOST_LEFT = 1.3
"""What is left of the photograph may be so many times what another matte would leave, by chance and noise."""
MOST_APART = 0.35
"""What was found may differ from what came in by this share of its half tones."""
MOST_GAINED = 1.125
"""What is left may be so many times what the matte that was found leaves, if that hardly differs."""
PER_APART = 0.25
"""It must be less, by this much of the share by which the two differ."""


def keep_exact_mattes(
    image: NDArray[np.uint8], coarse: NDArray[np.float32], found: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Put the parts of a matte that are exact already back into what was found of it.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB. coarse, found : (H, W) in 0..1, the matte that came in, and what was made of it.

    Returns
    -------
    (H, W), ``found`` itself where no part is exact.
    """
    if not _partial(coarse).any():
        return found
    parts = find_parts(coarse)
    exact = np.zeros(len(parts.boxes) + 1, bool)
    for number, sides in enumerate(parts.boxes, 1):
        here = Box(*(int(side) for side in sides)).grown(AROUND, *coarse.shape).slices
        exact[number] = is_exact(image[here], coarse[here], found[here])
    if not exact.any():
        return found
    return np.where(exact[nearest(parts.numbers)], coarse, found)


def is_exact(image: NDArray[np.uint8], coarse: NDArray[np.float32], found: NDArray[np.float32]) -> bool:
    """Tell whether a matte (H, W) fits its photograph as well as others near it, and as what was found instead."""
    half = float((4 * coarse * (1 - coarse)).sum())
    apart = float(np.abs(found - coarse).sum()) / half
    if apart > MOST_APART or left_over(image, coarse) > MOST_LEFT:
        return False
    return _gained(image, coarse, found) + PER_APART * apart <= MOST_GAINED


def left_over(image: NDArray[np.uint8], alpha: NDArray[np.float32]) -> float:
    """Return how much more a matte leaves of its photograph than the best of others near it: 1 for as much.

    A mixture of two smooth colours in the shares that ``alpha`` says should give the photograph. Where it does better
    with alpha moved a little, or steeper, or flatter, alpha is not right.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB. alpha : (H, W) in 0..1, some of it neither 0 nor 1.
    """
    partial = _partial(alpha)
    if not partial.any():
        return np.inf
    colour = np.divide(image, 255, dtype=np.float32)
    around = _around(partial)
    own = _left(colour, alpha, around)[partial]
    return max(
        float((own / np.maximum(_left(colour, other, around)[partial], 1e-4)).mean()) for other in _others(alpha)
    )


def _gained(image: NDArray[np.uint8], coarse: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Return how many times as much one matte leaves of its photograph as the other."""
    partial = _partial(coarse) | _partial(found)
    colour = np.divide(image, 255, dtype=np.float32)
    around = _around(partial)
    own, other = (float(_left(colour, alpha, around)[partial].sum()) for alpha in (coarse, found))
    return own / max(other, 1e-4)


def _partial(alpha: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (alpha > UNSURE[0]) & (alpha < UNSURE[1])


def _around(partial: NDArray[np.bool_]) -> NDArray[Any]:
    side = 2 * STEP + 1
    return np.asarray(cv2.dilate(partial.astype(np.uint8), np.ones((side, side), np.uint8)))


def _others(alpha: NDArray[np.float32]) -> Iterator[NDArray[Any]]:
    for down, across in ((STEP, 0), (-STEP, 0), (0, STEP), (0, -STEP)):
        moved = np.array([[1, 0, across], [0, 1, down]], np.float32)
        yield cv2.warpAffine(alpha, moved, alpha.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    yield np.clip((alpha - 0.5) * STEEPER + 0.5, 0, 1)
    yield cv2.GaussianBlur(alpha, (0, 0), FLATTER)


def _left(colour: NDArray[np.float32], alpha: NDArray[Any], around: NDArray[Any]) -> NDArray[Any]:
    """Return what a mixture leaves of the photograph, averaged over ``WINDOW`` pixels of contour, (H, W)."""
    share = alpha[..., None].astype(np.float32)
    front, behind = (_mean(colour, weight, NEAR) for weight in (share, 1 - share))
    off = np.abs(colour - share * front - (1 - share) * behind).sum(2)
    return _mean(off[..., None], around[..., None].astype(np.float32), WINDOW)[..., 0]


def _mean(planes: NDArray[Any], weight: NDArray[Any], radius: int) -> NDArray[Any]:
    sums = np.concatenate([planes * weight, weight], 2)
    side = 2 * radius + 1
    blurred = np.asarray(cv2.blur(sums, (side, side), borderType=cv2.BORDER_REFLECT_101), np.float32)
    return blurred[..., :-1] / np.maximum(blurred[..., -1:], 1e-4)
