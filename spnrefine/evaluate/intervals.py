"""What of a difference may be chance: intervals of 95 % by bootstrap over pictures.

Efron, The Annals of Statistics 1979: pictures are drawn again and again with replacement, as many as there are, and the
middle 95 % of what is found on the draws are the interval. Pictures are drawn whole, with what all methods did on them,
so that differences between methods are paired.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.metrics import PLAIN, Scores
from spnrefine.evaluate.summary import MADE_WORSE

Numbers = NDArray[np.float64]

DRAWS = 2000
SEED = 1979
PERCENTILES = 2.5, 97.5
CHUNK = 100  # draws at a time: memory stays small with many pictures

FIGURES = *PLAIN, "error_removed", "made_worse"
"""What always has an interval; distances of contours have where they were measured."""


class Interval(NamedTuple):
    """Where 95 % of the draws lie; None where the figure is not defined on some of them."""

    low: float | None
    high: float | None


Draws = Callable[[Numbers], dict[str, Numbers]]
"""Takes how many times each picture was drawn, (D, N), and returns figures of these draws, (D,), by name."""


def intervals(
    coarse: Sequence[Scores], found: Sequence[Scores], pictures: Sequence[str] | None = None
) -> dict[str, Interval]:
    """Return the interval of each of `FIGURES` and distances; scores are of the same objects in the same order.

    ``pictures`` say on which picture each object is; None: each is on its own.
    """
    return drawn_intervals(len(found), lambda times: _figures(times, coarse, found), pictures)


def differences(
    coarse: Sequence[Scores], found: Sequence[Scores], other: Sequence[Scores], pictures: Sequence[str] | None = None
) -> dict[str, tuple[float | None, Interval]]:
    """Return for each of `FIGURES` and distances by how much ``found`` is above ``other``, and the interval of that.

    A mean is that of the differences of pictures for which both are defined.
    """

    def difference(times: Numbers) -> dict[str, Numbers]:
        ours, theirs = (_figures(times, coarse, scores) for scores in (found, other))
        return _mean_differences(times, found, other) | {
            name: ours[name] - theirs[name] for name in ("error_removed", "made_worse")
        }

    exact = difference(np.ones((1, len(found))))
    drawn = drawn_intervals(len(found), difference, pictures)
    return {name: (_known(values[0]), drawn[name]) for name, values in exact.items()}


def drawn_intervals(count: int, figures: Draws, pictures: Sequence[str] | None = None) -> dict[str, Interval]:
    """Return the interval of each of the ``figures`` of ``count`` pictures, or of so many objects on ``pictures``."""
    return {name: interval_of(values) for name, values in drawn(count, figures, pictures).items()}


def drawn(count: int, figures: Draws, pictures: Sequence[str] | None = None, draws: int = DRAWS) -> dict[str, Numbers]:
    """Return the ``figures`` of all ``draws``, (D,), which are whole hundreds and always the same."""
    rng = np.random.default_rng(SEED)
    of_object = np.arange(count) if pictures is None else np.unique(list(pictures), return_inverse=True)[1]
    count = int(of_object.max()) + 1
    found: dict[str, list[Numbers]] = {}
    for _ in range(draws // CHUNK):
        times = rng.multinomial(count, np.full(count, 1 / count), size=CHUNK).astype(np.float64)
        for name, values in figures(times[:, of_object]).items():
            found.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in found.items()}


def interval_of(values: Numbers) -> Interval:
    """Return where 95 % of the draws' ``values`` lie."""
    if not np.isfinite(values).all():
        return Interval(None, None)
    low, high = np.percentile(values, PERCENTILES)
    return Interval(float(low), float(high))


def _figures(times: Numbers, coarse: Sequence[Scores], found: Sequence[Scores]) -> dict[str, Numbers]:
    """Return the figures of (D,) draws, in which pictures come so many ``times`` (D, N); NaN: not defined."""
    figures = {name: _mean(times, _column(found, name)) for name in found[0].names}
    old, new = _column(coarse, "iou"), _column(found, "iou")
    before, after = _mean(times, 1 - old), _mean(times, 1 - new)
    with np.errstate(invalid="ignore", divide="ignore"):
        removed = np.where(before > 0, 1 - after / before, np.where(after > 0, np.nan, 0.0))
    worse = np.where(np.isnan(old + new), np.nan, new < old - MADE_WORSE)
    return figures | {"error_removed": removed, "made_worse": _mean(times, worse)}


def _mean_differences(times: Numbers, found: Sequence[Scores], other: Sequence[Scores]) -> dict[str, Numbers]:
    return {name: _mean(times, _column(found, name) - _column(other, name)) for name in found[0].names}


def _column(scores: Sequence[Scores], name: str) -> Numbers:
    return np.array([each.value(name) for each in scores], np.float64)  # None becomes NaN


def _mean(times: Numbers, values: Numbers) -> Numbers:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return times[:, known] @ values[known] / times[:, known].sum(1)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
