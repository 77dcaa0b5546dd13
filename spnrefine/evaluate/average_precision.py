"""Average precision of instances, by COCO's own code: over whole masks, and with boundaries.

Lin et al., "Microsoft COCO", ECCV 2014; boundary AP is Cheng et al., CVPR 2021, where the overlap of two masks is the
lower of their IoU and Boundary IoU.
"""

import contextlib
import io
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from spnrefine.errors import MissingExtraError
from spnrefine.evaluate.instances import ANY, Instance, Picture
from spnrefine.evaluate.overlaps import band_of, ious, known_part
from spnrefine.evaluate.ranked import Ranked

Entries = dict[tuple[int, int], list[dict[str, Any]]]
"""Instances as COCO's code takes them, by picture and category."""

MOST_FOUND = 100  # instances of a picture and category, the surest, that COCO's code heeds


class Precision(NamedTuple):
    """Mean average precision over IoU of 0.5 to 0.95, at 0.5 and at 0.75, by size and by category, 0..1.

    None where there is no true instance. ``ranked`` is what these are summed up from, by category.
    """

    ap: float | None
    ap50: float | None
    ap75: float | None
    by_size: dict[str, float | None]
    by_category: dict[str, float | None]
    ranked: list[Ranked]


def average_precision(
    pictures: Sequence[Picture],
    method: str,
    categories: Sequence[str],
    *,
    boundary_share: float | None = None,
    most: int = MOST_FOUND,
) -> Precision:
    """Measure what a method found.

    Parameters
    ----------
    categories : those that are measured; with `ANY` alone, whatever instances are.
    boundary_share : width of the boundaries' bands, as a share of the diagonal; None measures whole masks alone.
    most : how many instances count of each picture and category.

    Raises
    ------
    MissingExtraError
        Without pycocotools.
    """
    if find_spec("pycocotools") is None:
        raise MissingExtraError("Average precision needs pycocotools: pip install 'spnrefine[coco]'.")
    from pycocotools.cocoeval import COCOeval

    class Evaluation(COCOeval):
        """COCO's evaluation of what is in memory, with overlaps of our own."""

        def _prepare(self) -> None:
            self._gts: Entries = defaultdict(list)
            self._dts: Entries = defaultdict(list)
            self.evalImgs: Any = defaultdict(list)
            self.eval: dict[str, Any] = {}
            numbers = iter(range(1, 1 << 62))
            for at, picture in enumerate(pictures):
                for held, instances in ((self._gts, picture.true), (self._dts, picture.found[method])):
                    for one in instances:
                        category = ANY if list(categories) == [ANY] else one.category
                        if category in categories:
                            entry = _entry(one, picture, next(numbers), boundary_share)
                            held[at, categories.index(category)].append(entry)

        def computeIoU(self, imgId: int, catId: int) -> Any:  # noqa: N802, N803 -- COCO's names
            true, found = self._gts[imgId, catId], self._dts[imgId, catId]
            if not true and not found:
                return []
            order = np.argsort([-one["score"] for one in found], kind="mergesort")[: self.params.maxDets[-1]]
            return _overlaps([found[place] for place in order], true)

    evaluation = Evaluation(iouType="segm")
    evaluation.params.imgIds = list(range(len(pictures)))
    evaluation.params.catIds = list(range(len(categories)))
    evaluation.params.maxDets = [1, 10, most]
    with contextlib.redirect_stdout(io.StringIO()):  # it tells how far it is
        evaluation.evaluate()
        evaluation.accumulate()
    return _summed(evaluation, categories)


def _entry(one: Instance, picture: Picture, number: int, share: float | None) -> dict[str, Any]:
    mask = known_part(one.mask, picture.void)
    return {
        "id": number,
        "mask": mask,
        "band": None if share is None else known_part(band_of(one.mask, share), picture.void),
        "area": mask.area,
        "iscrowd": int(one.crowd),
        "ignore": int(one.crowd),
        "score": 1.0 if one.score is None else one.score,
    }


def _overlaps(found: list[dict[str, Any]], true: list[dict[str, Any]]) -> Any:
    crowd = [bool(one["iscrowd"]) for one in true]

    def of(what: str) -> Any:
        return ious([one[what] for one in found], [one[what] for one in true], crowd)

    whole = of("mask")
    banded = [one["band"] is not None for one in (*found, *true)]
    return np.minimum(whole, of("band")) if any(banded) else whole


def _summed(evaluation: Any, categories: Sequence[str]) -> Precision:
    precision = evaluation.eval["precision"][..., -1]  # of thresholds, recalls, categories, sizes
    thresholds, sizes = evaluation.params.iouThrs, evaluation.params.areaRngLbl

    def at(threshold: float) -> Any:
        return precision[np.isclose(thresholds, threshold), ..., 0]

    return Precision(
        _mean(precision[..., 0]),
        _mean(at(0.5)),
        _mean(at(0.75)),
        {size: _mean(precision[..., place]) for place, size in enumerate(sizes) if place},
        {category: _mean(precision[:, :, place, 0]) for place, category in enumerate(categories)},
        [_ranked(evaluation, place) for place in range(len(categories))],
    )


def _ranked(evaluation: Any, category: int) -> Ranked:
    """Return what COCO's code found of a category, of instances of all sizes, before it summed that up."""
    count, sizes = len(evaluation.params.imgIds), len(evaluation.params.areaRng)
    start = category * sizes * count  # by category, then by size, of which all is the first, then by picture
    there = [(at, one) for at, one in enumerate(evaluation.evalImgs[start : start + count]) if one is not None]
    true = np.zeros(count, np.int64)
    for at, one in there:
        true[at] = np.count_nonzero(np.asarray(one["gtIgnore"]) == 0)
    thresholds = len(evaluation.params.iouThrs)
    scores = np.concatenate([np.zeros(0), *(one["dtScores"] for _, one in there)])
    order = np.argsort(-scores, kind="mergesort")  # as COCO's code sorts them
    pictures = np.concatenate([np.zeros(0, np.int64), *(np.full(len(one["dtScores"]), at) for at, one in there)])

    def of(name: str) -> Any:
        columns = [np.asarray(one[name], np.bool_).reshape(thresholds, -1) for _, one in there]
        return np.concatenate([np.zeros((thresholds, 0), np.bool_), *columns], 1)[:, order]

    matched, ignored = of("dtMatches"), of("dtIgnore")
    return Ranked(matched & ~ignored, ~matched & ~ignored, pictures[order], true)


def _mean(values: Any) -> float | None:
    """Return the mean of what is defined; COCO's code marks the rest by -1."""
    known = values[values > -1]
    return float(known.mean()) if known.size else None
