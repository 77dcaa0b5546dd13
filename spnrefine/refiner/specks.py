"""Single pixels that a refined mask sets apart from all around them, and its coarse mask does not: no objects."""

import cv2
import numpy as np
from numpy.typing import NDArray

_ROWS = 512  # that are looked at at once: what is found of them needs no map of the whole
_RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


def without_specks(refined: NDArray[np.float32], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
    """Put lone pixels of ``refined`` on the side of those around them, unless they are alone in ``coarse`` too.

    Parameters
    ----------
    refined, coarse : (H, W) float32 in 0..1; inside is above 0.5. ``refined`` is changed in place.

    Returns
    -------
    ``refined``; where it was changed, just above 0.5, or 0.5.
    """
    just_above = np.nextafter(np.float32(0.5), np.float32(1))
    height = len(refined)
    for top in range(0, height, _ROWS):
        bottom = min(top + _ROWS, height)
        seen = slice(max(top - 1, 0), min(bottom + 1, height))
        own = slice(top - seen.start, bottom - seen.start)
        inside = refined[seen] > 0.5
        found = lone(inside)[own]
        if found.any():
            found &= ~lone(coarse[seen] > 0.5)[own]
            rows, columns = np.divmod(np.flatnonzero(found), found.shape[1])  # np.nonzero takes ten times as long
            refined[top + rows, columns] = np.where(inside[own][rows, columns], np.float32(0.5), just_above)
    return refined


def lone(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the pixels of a mask (H, W) that differ from all of their neighbours, eight of them off the border."""
    if inside.size == 1:
        return np.zeros_like(inside)
    around = np.ascontiguousarray(inside).view(np.uint8)
    return (cv2.dilate(around, _RING) < around) | (cv2.erode(around, _RING) > around)
