"""All ids of a label map, or all planes of a distribution, refined jointly: no gaps, no overlaps at shared borders."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import BACKGROUND, find_ids, strips
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.blocks import block_size, without_blocks
from spnrefine.refiner.keeping import recalling
from spnrefine.refiner.lost import restore_lost
from spnrefine.refiner.noting import count
from spnrefine.refiner.presence import is_empty
from spnrefine.refiner.shared import MayBeShared, share
from spnrefine.refiner.sheets import Objects

TINY = 1e-12  # keeps 0 / 0 away


def refine_labels(
    refine: RefinesMasks,
    image: NDArray[np.uint8],
    labels: NDArray[np.integer],
    void: NDArray[np.bool_] | None = None,
    shared: MayBeShared | None = None,
) -> tuple[NDArray[np.integer], NDArray[np.float32]]:
    """Refine every id on its own, small ones in shared passes, then give each pixel to the most probable one.

    The background, id 0, has the probability that the ids leave it, where there is any background. So a pixel on a
    border of two ids, which neither is sure of, does not fall to the background between them. One that was background
    is shared by the ids only as far as the most probable of them goes: a gap between two ids, of which neither is
    probable there, stays.

    Parameters
    ----------
    refine : refines one mask, as :class:`spnrefine.refiner.Refiner`.
    image : (H, W, 3) uint8, RGB.
    labels : (H, W) integers.
    void : (H, W) bool, pixels that stay as they are and belong to no id; or None.
    shared : refines the ids, by their places among all in rising order, that are seen together with others; None: it is
        found which.

    Returns
    -------
    (H, W) refined ids, of the type of ``labels``: only such as were there, and all of them; and (H, W) float32 in
    0..1, the probability of each pixel's id.
    """
    ids, boxes = find_ids(labels, void)
    blocks = block_size(labels, None if void is None else ~void)
    refined = labels.copy()
    best, total = (np.zeros(labels.shape, np.float32) for _ in range(2))

    def coarse(place: int) -> NDArray[np.float32]:
        here = objects.seen(place).slices
        mask = _is(ids[place], labels[here], None if void is None else void[here])
        return without_blocks(mask, blocks).astype(np.float32, copy=False)

    objects = Objects(labels.shape, boxes, coarse)
    together = share(refine, image, objects) if shared is None else shared

    def refine_one(place: int) -> NDArray[np.float32]:
        if place in together:
            return together(place)
        return refine(np.ascontiguousarray(image[objects.seen(place).slices]), coarse(place))

    refined_one = recalling(refine_one)
    for place, number in enumerate(ids.tolist()):
        box = objects.seen(place)
        here = box.slices
        probability = refined_one(place, (box.height, box.width))
        total[here] += probability
        wins = probability > best[here]
        refined[here][wins] = number
        best[here][wins] = probability[wins]
        count(place + 1, len(ids))
    there_is_background = any(
        _is(BACKGROUND, labels[rows], None if void is None else void[rows]).any() for rows in strips(*labels.shape)
    )
    for rows in strips(*labels.shape) if there_is_background else ():
        _share(labels[rows], total[rows], refined[rows], best[rows])
    if void is not None:
        refined[void] = labels[void]
    restore_lost(labels, refined, void)
    for rows in strips(*labels.shape):
        best[rows][(refined[rows] == labels[rows]) & (best[rows] == 0)] = 1
    return refined, best


def refine_ids(refine: RefinesMasks, image: NDArray[np.uint8], ids: NDArray[np.integer]) -> NDArray[np.integer]:
    """Refine ids as `refine_labels` does, with 0 as the background, or -1 where there is any; (H, W) of their type."""
    if ids.min() >= BACKGROUND:
        return refine_labels(refine, image, ids)[0]
    return (refine_labels(refine, image, ids.astype(np.int64) + 1)[0] - 1).astype(ids.dtype)


def _is(number: int, labels: NDArray[np.integer], void: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Mark the pixels (H, W) of an id."""
    return labels == number if void is None else (labels == number) & ~void


def _share(
    labels: NDArray[np.integer],
    total: NDArray[np.float32],
    refined: NDArray[np.integer],
    best: NDArray[np.float32],
) -> None:
    """Give to the background what of ``refined`` and ``best``, (H, W), is its own."""
    was = labels == BACKGROUND
    rest = _rest(best, total, was)
    best[was] = best[was] * best[was] / np.maximum(total[was], TINY)
    wins = rest >= best
    refined[wins], best[wins] = BACKGROUND, rest[wins]


def refine_planes(refine: RefinesMasks, image: NDArray[np.uint8], planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Refine every plane of a distribution but the first on its own, and leave to the first what the others leave.

    For planes of zeros and ones the most probable planes are the ids that :func:`refine_labels` finds, unless it heeds
    a judge, which is shown each id in its box and each plane in all of the picture.

    Parameters
    ----------
    refine, image : as for :func:`refine_labels`.
    planes : (K, H, W) float32 in 0..1, which sum to 1 at every pixel; plane 0 is the background.

    Returns
    -------
    (K, H, W) float32, a new array, which sums to 1 where any plane changed and is as it was elsewhere. A plane that is
    nowhere above 0.1 is not refined.
    """
    present = [number for number, plane in enumerate(planes) if not is_empty(plane)]
    refined = planes.copy()
    for number in present:
        if number != BACKGROUND:
            refined[number] = refine(image, np.ascontiguousarray(planes[number]))
    changed = (refined != planes).any(axis=0)
    total = refined[1:].sum(axis=0)
    if BACKGROUND in present:
        rest = _rest(refined[1:].max(axis=0), total, planes.argmax(axis=0) == BACKGROUND)
        scale = (1 - rest) / np.maximum(total, 1 - rest + TINY)
    else:  # then none of them may leave any
        rest = planes[BACKGROUND]
        scale = (1 - rest) / np.where(total > 0, total, 1)
        changed &= total > 0
    joint = np.concatenate([rest[None], refined[1:] * scale])
    return np.where(changed, joint, planes).astype(np.float32)


def _rest(best: NDArray[np.float32], total: NDArray[np.float32], was: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return what the background keeps (H, W): what all ids leave; where it ``was``, what the most probable leaves."""
    return np.where(was, 1 - best, np.clip(1 - total, 0, 1)).astype(np.float32)


def most_probable(planes: NDArray[np.float32], before: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the most probable plane of each pixel, (H, W) of the type of ``before``; no id that was there is lost."""
    return restore_lost(before, planes.argmax(axis=0).astype(before.dtype))
