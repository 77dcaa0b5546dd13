"""Panoramas that go all the way round: what leaves at the right border comes in at the left one."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.framing import PRESENT
from spnrefine.model.protocols import RefinesMasks

AROUND = 0.25
"""Share of the width that is shown again beyond each border where the mask crosses every column."""


class Wrapped:
    """A refiner for panoramas of 360 degrees; called as :class:`~spnrefine.model.protocols.RefinesMasks`.

    The picture is turned so that its borders lie where no object is. Where the mask leaves no column free, a quarter of
    the picture is shown again on either side. What is less wide than the panorama, ``width`` pixels, is no whole one
    and is refined as it is.
    """

    def __init__(self, refiner: RefinesMasks, width: int):
        self._refiner, self._width = refiner, width

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        width = coarse.shape[1]
        if width != self._width:
            return self._refiner(image, coarse)
        free = _middle_of_longest_gap(np.asarray((coarse > PRESENT).any(axis=0)))
        if free is not None:
            refined = self._refiner(np.roll(image, -free, 1), np.roll(coarse, -free, 1))
            return np.roll(refined, free, 1)
        more = max(1, int(AROUND * width))
        columns = np.arange(-more, width + more) % width
        return np.ascontiguousarray(self._refiner(image[:, columns], coarse[:, columns])[:, more : more + width])


def _middle_of_longest_gap(taken: NDArray[np.bool_]) -> int | None:
    """Return the middle of the longest run of columns that are free, the last followed by the first; None: no such."""
    if taken.all():
        return None
    if not taken.any():
        return 0
    count = len(taken)
    start = int(np.flatnonzero(taken)[0])
    ends = np.flatnonzero(np.append(np.roll(taken, -start), True))
    gaps = np.diff(ends)
    longest = int(gaps.argmax())
    return (start + int(ends[longest]) + int(gaps[longest]) // 2) % count if gaps[longest] > 1 else None
