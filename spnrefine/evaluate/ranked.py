"""What was found of a category, the surest first, and the average precision of pictures that are drawn of it.

A picture that is drawn twice counts twice: nothing is matched again, so that draws cost what summing up costs. It is
what COCO's code has for a set that holds the picture twice, but for equal scores within one picture.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.intervals import Numbers

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)  # at which COCO's code reads the precision
CELLS = 1 << 22  # of a table of draws by instances: 32 MB


class Ranked(NamedTuple):
    """Instances of one category, by falling score.

    Attributes
    ----------
    right, wrong : (T, D) bools at each of `THRESHOLDS`; neither, where they do not count, as in a crowd.
    picture : (D,) on which of N pictures each is.
    true : (N,) how many true ones each picture has.
    """

    right: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    picture: NDArray[np.int64]
    true: NDArray[np.int64]

    def each(self) -> Iterator["Ranked"]:
        """Yield for each picture what is on that alone."""
        order = np.argsort(self.picture, kind="stable")
        ends = np.searchsorted(self.picture[order], np.arange(len(self.true) + 1))
        for at in range(len(self.true)):
            here = order[ends[at] : ends[at + 1]]
            nothing = np.zeros(len(here), np.int64)
            yield Ranked(self.right[:, here], self.wrong[:, here], nothing, self.true[at : at + 1])


def drawn_precision(times: Numbers, ranked: Sequence[Ranked]) -> dict[str, Numbers]:
    """Return the mean average precision of draws (D,): over all thresholds, at 0.5 and at 0.75.

    ``times`` (D, N) is how often each picture was drawn. NaN where none of a draw's pictures has a true instance.
    """
    each = np.stack([_of_category(times, one) for one in ranked], -1)  # (D, T, K)
    known = ~np.isnan(each[:, 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known[:, None], each, 0).sum(-1) / known.sum(-1)[:, None]
    at = {"ap50": 0.5, "ap75": 0.75}
    return {"ap": mean.mean(1)} | {name: mean[:, np.isclose(THRESHOLDS, value)][:, 0] for name, value in at.items()}


def _of_category(times: Numbers, ranked: Ranked) -> Numbers:
    """Return (D, T); NaN where a draw has no true instance."""
    true = times @ ranked.true
    if not true.any():
        return np.full((len(times), len(THRESHOLDS)), np.nan)
    found = np.empty((len(times), len(THRESHOLDS)))
    rows = max(1, CELLS // max(1, len(ranked.picture)))
    for start in range(0, len(times), rows):
        part = slice(start, start + rows)
        weights = times[part, ranked.picture]
        everything = weights.cumsum(1)
        for at, (right, wrong) in enumerate(zip(ranked.right, ranked.wrong, strict=True)):
            if at and (right == ranked.right[at - 1]).all() and (wrong == ranked.wrong[at - 1]).all():
                found[part, at] = found[part, at - 1]  # as where all are matched far better, or far worse
                continue
            counted = right | wrong
            so_far = everything if counted.all() else (weights * counted).cumsum(1)
            found[part, at] = _area(weights[:, right], so_far[:, right], true[part])
    return np.where(true[:, None] > 0, found, np.nan)


def _area(right: Numbers, so_far: Numbers, true: Numbers) -> Numbers:
    """Return the mean precision at `RECALLS` of each draw.

    ``right`` (D, I) are the instances that are right, surest first, ``so_far`` how many were found up to each: between
    two of them precision only falls, so that the others need not be looked at.
    """
    if not right.shape[1]:
        return np.zeros(len(right))
    hits = right.cumsum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(hits / so_far)
    precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]  # the best at this recall or more
    rows, instances = np.arange(len(right))[:, None], right.shape[1]
    far = true.max() + 2  # apart from row to row, so that one search goes through all of them
    places = np.searchsorted((hits + rows * far).ravel(), (_hits_for(RECALLS, true[:, None]) + rows * far).ravel())
    places = places.reshape(len(right), -1) - rows * instances
    read = np.take_along_axis(precision, np.minimum(places, instances - 1), 1)
    return np.asarray(np.where(places < instances, read, 0).sum(1) / len(RECALLS))


def _hits_for(recalls: Numbers, true: Numbers) -> Numbers:
    """Return the least number of hits whose share of the ``true`` ones is at least each of ``recalls``, as computed."""
    hits = np.ceil(recalls * true)
    with np.errstate(invalid="ignore", divide="ignore"):
        hits -= (hits - 1) / true >= recalls
        return np.asarray(hits + (hits / true < recalls))
