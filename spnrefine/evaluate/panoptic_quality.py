"""Panoptic quality of instances: Kirillov et al., "Panoptic Segmentation", CVPR 2019, as its published code has it.

A true instance is found by the one of its category that has an IoU above one half with it; as instances do not overlap,
there is one at most.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.instances import ANY, Instance, Picture
from spnrefine.evaluate.intervals import Numbers
from spnrefine.evaluate.overlaps import intersection, ious, known_part

MATCH = 0.5


class Quality(NamedTuple):
    """Panoptic quality, and its factors: of segmentation and of recognition; each in 0..1, None where nothing is."""

    pq: float | None
    sq: float | None
    rq: float | None


class Counted(NamedTuple):
    """What was counted in all pictures: ``sums`` (N, K, 4), of IoU, instances found, false and missed ones."""

    categories: Sequence[str]
    sums: NDArray[np.float64]

    def by_category(self) -> dict[str, Quality]:
        """Return the quality of each category."""
        qualities = _qualities(self.sums.sum(0))
        return {
            category: Quality(*(_known(value) for value in row))
            for category, row in zip(self.categories, qualities, strict=True)
        }

    def mean(self) -> Quality:
        """Return the means over the categories that occur."""
        return _mean(self.sums.sum(0))

    def each(self) -> list[Quality]:
        """Return the same of each picture alone."""
        return [_mean(sums) for sums in self.sums]


def count(pictures: Sequence[Picture], method: str, categories: Sequence[str]) -> Counted | None:
    """Count what a method found, of ``categories``, or of whatever with `ANY` alone; None where instances overlap."""
    sums = np.zeros((len(pictures), len(categories), 4))
    for at, picture in enumerate(pictures):
        found = picture.found[method]
        if _overlap(found) or _overlap(picture.true):
            return None
        for place, category in enumerate(categories):
            true, mine = (
                [one for one in side if category == ANY or one.category == category] for side in (picture.true, found)
            )
            sums[at, place] = _count(true, mine, picture.void)
    return Counted(categories, sums)


def drawn_pq(times: Numbers, counted: Counted) -> Numbers:
    """Return (D,): the mean panoptic quality of pictures that were drawn so many ``times`` (D, N); NaN: undefined."""
    return _over_categories(_qualities(np.einsum("dn,nkv->dkv", times, counted.sums)))[..., 0]


def _count(true: list[Instance], found: list[Instance], void: NDArray[np.bool_]) -> tuple[float, int, int, int]:
    single = [one for one in true if not one.crowd]
    overlaps = ious([known_part(one.mask, void) for one in found], [known_part(one.mask, void) for one in single])
    hits = overlaps > MATCH
    iou, matched = float(overlaps[hits].sum()), set(np.nonzero(hits)[0].tolist())
    false = 0
    for place, mask in enumerate(one.mask for one in found):
        if place not in matched:
            unknown = mask.area - known_part(mask, void).area
            unknown += sum(intersection(mask, known_part(one.mask, void)) for one in true if one.crowd)
            false += mask.area == 0 or unknown / mask.area <= MATCH
    return iou, len(matched), false, len(single) - len(matched)


def _overlap(instances: Sequence[Instance]) -> bool:
    """Tell whether any pixel is of two single instances."""
    masks = [one.mask for one in instances if not one.crowd]
    if not masks:
        return False
    times = np.zeros(masks[0].size, np.uint16)
    for mask in masks:
        times[mask.box.slices] += mask.pixels
    return bool((times > 1).any())


def _qualities(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (..., K, 3): PQ, SQ and RQ of each category; NaN where it does not occur."""
    iou, hits, false, missed = np.moveaxis(sums, -1, 0)
    every = hits + false / 2 + missed / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        sq = np.where(every > 0, np.where(hits > 0, iou / hits, 0), np.nan)
        return np.stack([iou / every, sq, hits / every], -1)


def _mean(sums: NDArray[np.float64]) -> Quality:
    return Quality(*(_known(value) for value in _over_categories(_qualities(sums))))


def _over_categories(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(known, values, 0).sum(-2) / known.sum(-2))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
