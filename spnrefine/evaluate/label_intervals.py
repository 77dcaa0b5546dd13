"""What of the F1 and IoU of classes may be chance: intervals by bootstrap over photographs."""

from collections.abc import Callable

import numpy as np

from spnrefine.evaluate.confusion import Confusion, f1_of, iou_of
from spnrefine.evaluate.intervals import Draws, Interval, Numbers, drawn_intervals

MEAN = "mean"


def iou_intervals(found: Confusion, other: Confusion | None = None) -> dict[str, Interval]:
    """Return the interval of the IoU of each class that occurs, and of their mean.

    With ``other``, of the same photographs, by how much they are above its. A mean is over the classes that a draw has,
    of each by itself; a class that some draws lack has no interval.
    """
    count = len(found.classes.names)

    def figures(times: Numbers) -> dict[str, Numbers]:
        values = ours = _drawn(times, found, iou_of)[:, :count]
        mean = _mean_of_known(ours)
        if other is not None:  # which may have other classes than ours, as one that is nowhere true
            theirs = _drawn(times, other, iou_of)[:, :count]
            values, mean = ours - theirs, mean - _mean_of_known(theirs)
        named = {name: values[:, n] for n, name in enumerate(found.classes.names) if not np.isnan(ours[:, n]).all()}
        return named | {MEAN: mean}

    return _kept(found, figures, set(found.iou()))


def f1_intervals(found: Confusion, other: Confusion | None = None) -> dict[str, Interval]:
    """Return likewise the interval of the F1 of each class but the background, and of each group."""

    def figures(times: Numbers) -> dict[str, Numbers]:
        values = _drawn(times, found, f1_of)
        if other is not None:
            values = values - _drawn(times, other, f1_of)
        return {name: values[:, n] for n, name in enumerate(found.names)}

    return _kept(found, figures, set(found.f1()))


def _mean_of_known(values: Numbers) -> Numbers:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw of void alone knows nothing
        return np.asarray(np.where(known, values, 0).sum(1) / known.sum(1))


def _kept(found: Confusion, figures: Draws, names: set[str]) -> dict[str, Interval]:
    return {name: each for name, each in drawn_intervals(len(found.each), figures).items() if name in names}


def _drawn(times: Numbers, confusion: Confusion, measure: Callable[[Numbers], Numbers]) -> Numbers:
    """Return (D, K): of each draw, and class or group; NaN where it does not occur."""
    counted = np.array(confusion.each, np.float64)
    return measure(np.tensordot(times, counted, 1))
