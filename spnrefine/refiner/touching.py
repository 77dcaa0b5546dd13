"""Masks of one photograph that touch each other are refined jointly, as the ids of one map: no gaps, no overlaps."""

from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import around
from spnrefine.boxes.boxed import Boxed
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.box import view_of
from spnrefine.refiner.joint import refine_labels
from spnrefine.refiner.noting import Used, listening, note
from spnrefine.refiner.shared import MayBeShared


def touching(masks: Sequence[Boxed]) -> list[list[int]]:
    """Group the masks that touch, 8-connected, and do not overlap any other.

    Parameters
    ----------
    masks : of bools, all of one size.

    Returns
    -------
    Positions in ``masks``, each group in their order and of two or more.
    """
    if len(masks) < 2:
        return []
    times = np.zeros(masks[0].size, np.int32)
    for mask in masks:
        times[mask.box.slices] += mask.pixels
    owner = np.zeros(times.shape, np.int32)
    for number, mask in enumerate(masks, 1):
        if (times[mask.box.slices][mask.pixels] == 1).all():  # else it lies over or under another, no id of a map
            owner[mask.box.slices][mask.pixels] = number
    del times
    root = list(range(len(masks) + 1))

    def find(number: int) -> int:
        while root[number] != number:
            number = root[number]
        return number

    for mask in masks:
        for one, other in _borders(owner[mask.box.grown(1, *owner.shape).slices]):
            low, high = sorted((find(one), find(other)))
            root[high] = low
    groups: dict[int, list[int]] = {}
    for number in range(1, len(root)):
        groups.setdefault(find(number), []).append(number - 1)
    return [group for group in groups.values() if len(group) > 1]


class Together:
    """Masks that touch, refined jointly when the first of them is asked for; several threads may ask.

    Parameters
    ----------
    refine : refines one mask, as :class:`spnrefine.refiner.refiner.Refiner`.
    image : (H, W, 3) uint8, RGB.
    masks : of bools, disjoint, none empty.
    threshold : a refined mask is where its probability is above it.
    shared : refines those of the masks, by their positions, that are seen together with others; None: it is found
        which.
    """

    def __init__(
        self,
        refine: RefinesMasks,
        image: NDArray[np.uint8],
        masks: Sequence[Boxed],
        threshold: float,
        shared: MayBeShared | None = None,
    ):
        self._refine, self._image, self._masks, self._threshold = refine, image, masks, threshold
        self._shared = shared
        self._frame = around([view_of(mask.box, *mask.size) for mask in masks])
        self._lock = Lock()
        self._refined: tuple[NDArray[np.integer], NDArray[np.float32]] | None = None
        self._used: list[Used] = []

    def probability(self, position: int) -> NDArray[np.float32]:
        """Return the probability of the mask at ``position`` in its `view_of`, (h, w) float32 in 0..1.

        Above the threshold it is where the mask is the most probable of all and of the background.
        """
        with self._lock:
            if self._refined is None:
                labels = np.zeros((self._frame.height, self._frame.width), np.int32)
                for number, mask in enumerate(self._masks, 1):
                    labels[mask.box.inside(self._frame).slices][mask.pixels] = number
                image = np.ascontiguousarray(self._image[self._frame.slices])
                with listening() as self._used:
                    self._refined = refine_labels(self._refine, image, labels, shared=self._shared)
        if len(self._used) == len(self._masks):  # each by itself, in order; an empty one has no box
            note(self._used[position])
        mask = self._masks[position]
        here = view_of(mask.box, *mask.size).inside(self._frame).slices
        ids, best = (array[here] for array in self._refined)
        above = np.nextafter(np.float32(self._threshold), np.float32(1))
        return np.where(ids == position + 1, np.maximum(best, above), np.minimum(1 - best, self._threshold)).astype(
            np.float32
        )


def _borders(owner: NDArray[np.int32]) -> set[tuple[int, int]]:
    """List the pairs of numbers other than 0 that are neighbours somewhere, also over a corner."""
    height, width = owner.shape
    found: set[tuple[int, int]] = set()
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        left = max(0, -right)
        one = owner[: height - down, left : width - max(0, right)]
        other = owner[down:, left + right : width + min(0, right)]
        meet = (one != other) & (one != 0) & (other != 0)
        found |= set(zip(one[meet].tolist(), other[meet].tolist(), strict=True))
    return found
