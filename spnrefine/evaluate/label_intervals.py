"""What of the IoU of classes may be chance: intervals by bootstrap over photographs."""

import numpy as np

from spnrefine.evaluate.intervals import Interval, Numbers, drawn_intervals
from spnrefine.evaluate.labels import Confusion

MEAN = "mean"


def iou_intervals(found: Confusion, other: Confusion | None = None) -> dict[str, Interval]:
    """Return the interval of the IoU of each class that occurs, and of their mean.

    With ``other``, of the same photographs, by how much they are above its. A mean is over the classes of a draw; a
    class that some draws lack has no interval.
    """

    def figures(times: Numbers) -> dict[str, Numbers]:
        ours = _iou(times, found)
        values = ours if other is None else ours - _iou(times, other)
        named = {name: values[:, n] for n, name in enumerate(found.classes.names) if not np.isnan(ours[:, n]).all()}
        mean = np.nanmean(values, 1) if named else np.full(len(times), np.nan)
        return named | {MEAN: mean}

    kept = set(found.iou())
    return {name: each for name, each in drawn_intervals(len(found.each), figures).items() if name in kept}


def _iou(times: Numbers, confusion: Confusion) -> Numbers:
    """Return (D, K): of each draw and class; NaN where the class does not occur."""
    hits, true, found = (times @ np.array(column, np.float64) for column in zip(*confusion.each, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(hits / (true + found - hits))
