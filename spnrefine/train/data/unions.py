"""Which masks a label map gives: one of its regions, several, neighbours, or many alike that do not touch."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

MANY = 12
"""A map of more ids than this is one of instances or regions, where 0 is what lies between them."""
ATTEMPTS = 4
"""Draws for each union that is wanted."""

Mask = NDArray[np.bool_]


def unions(ids: NDArray[np.integer], valid: Mask, rng: np.random.Generator, *, wanted: int) -> Iterator[Mask]:
    """Yield unions of the regions in ``ids``, ``ATTEMPTS`` times as many as are ``wanted``: some are too small.

    One region as often as all other ways together: a class, an instance among many alike, or a part of a class that
    stands alone.

    Parameters
    ----------
    ids : (H, W) integers; ids where ``valid`` is False are no regions.
    """
    known = np.unique(ids[valid])
    if len(known) > MANY:
        known = known[known > 0]
    if len(known) < 2:
        return
    ways = (_one, _one, _part, _some, _neighbours, _apart)
    for _ in range(ATTEMPTS * wanted):
        yield ways[rng.integers(len(ways))](ids, known, rng) & valid


def _one(ids: NDArray, known: NDArray, rng: np.random.Generator) -> Mask:
    return ids == rng.choice(known)


def _part(ids: NDArray, known: NDArray, rng: np.random.Generator) -> Mask:
    """Return one connected part of a region: a car among cars, of which a map of classes says no more."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(_one(ids, known, rng).astype(np.uint8), connectivity=8)
    largest = 1 + np.argsort(stats[1:, cv2.CC_STAT_AREA])[::-1][:4]
    return parts == rng.choice(largest) if count > 1 else np.zeros(ids.shape, bool)


def _some(ids: NDArray, known: NDArray, rng: np.random.Generator) -> Mask:
    return np.isin(ids, rng.choice(known, rng.integers(1, len(known)), replace=False))


def _neighbours(ids: NDArray, known: NDArray, rng: np.random.Generator) -> Mask:
    """Grow a region by those that touch it, one after the other."""
    union = _one(ids, known, rng)
    for _ in range(rng.integers(1, max(2, len(known) // 2))):
        touching = np.setdiff1d(np.intersect1d(ids[_wider(union, 1)], known), np.unique(ids[union]))
        if not len(touching):
            break
        union |= ids == rng.choice(touching)
    return union


def _apart(ids: NDArray, known: NDArray, rng: np.random.Generator) -> Mask:
    """Take regions in random order, each where it keeps a gap from those taken: one colour of a greedy colouring."""
    gap = int(rng.integers(1, 7))
    union = np.zeros(ids.shape, bool)
    for each in rng.permutation(known)[:80]:
        region = ids == each
        if not (_wider(region, gap) & union).any():
            union |= region
    return union


def _wider(mask: Mask, by: int) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)) > 0
