"""A picture of where a mask may be wrong: the probability of each pixel to be so, as the network sees it."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError
from spnrefine.job.types import Refined


def doubts(refined: Refined, *, coarse: bool = False) -> NDArray[np.uint8]:
    """Return how probable it is that a pixel of the refined mask, or of the coarse one, is wrong: (H, W), 255 is sure.

    Raises
    ------
    FileError
        The mask has several pages.
    """
    if refined.pages:
        raise FileError("A mask of several pages has no picture of its doubts: leave out --doubt.")
    mask = refined.before if coarse else refined.after
    return np.round(255 * wrong(mask, refined.after, refined.probability)).astype(np.uint8)


def wrong(mask: NDArray, after: NDArray, probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability of each pixel (H, W) of ``mask`` to be wrong, 0..1.

    Parameters
    ----------
    mask, after : (H, W) bools or ids, a mask, and the refined one.
    probability : (H, W) in 0..1, of the object, or of each pixel's id in ``after``.
    """
    if after.dtype == bool:
        return np.abs(probability - mask.astype(np.float32))
    if not after.any():  # nothing was refined
        return np.zeros(after.shape, np.float32)
    return np.where(mask == after, 1 - probability, probability).astype(np.float32)
