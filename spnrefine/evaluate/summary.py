"""What refinement did to many masks: means of their scores, and the share of the error that is gone."""

from collections.abc import Sequence
from typing import NamedTuple

from spnrefine.evaluate.metrics import PLAIN, Scores

MADE_WORSE = 0.005  # of IoU: a mask that lost more counts as made worse


class Summary(NamedTuple):
    """Means over many masks, and what refinement did to them; None where that is not defined.

    Attributes
    ----------
    masks : how many there are.
    iou, biou, mba : means over the masks for which the measure is defined.
    error_removed : 1 - mean(1 - IoU after) / mean(1 - IoU before); None where there was no error and now is some.
    made_worse : the share of masks that lost more than half a point of IoU.
    undefined : for how many masks each measure is not defined; they are left out of its mean.
    both_empty : how many masks are empty and ought to be: IoU and Boundary IoU count them as 1.
    surface : means likewise of the distances of contours that were asked for.
    """

    masks: int
    iou: float | None
    biou: float | None
    mba: float | None
    error_removed: float | None
    made_worse: float | None
    undefined: dict[str, int]
    both_empty: int
    surface: dict[str, float | None]


def summarise(before: Sequence[Scores], after: Sequence[Scores]) -> Summary:
    """Sum up the scores of coarse and refined masks, in the same order."""
    names = after[0].names if after else PLAIN
    columns = {name: [scores.value(name) for scores in after] for name in names}
    pairs = [
        (old.iou, new.iou)
        for old, new in zip(before, after, strict=True)
        if old.iou is not None and new.iou is not None
    ]
    return Summary(
        len(after),
        mean(columns["iou"]),
        mean(columns["biou"]),
        mean(columns["mba"]),
        error_removed(pairs),
        mean([float(new < old - MADE_WORSE) for old, new in pairs]),
        {name: sum(value is None for value in values) for name, values in columns.items()},
        sum(scores.both_empty for scores in after),
        {name: mean(columns[name]) for name in names if name not in PLAIN},
    )


def error_removed(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Return the share of the mean 1 - IoU that is gone, of pairs of IoU before and after.

    0 where nothing was to remove and nothing is lost; None where nothing was to remove and something is lost, or there
    is no pair.
    """
    error = sum(1 - old for old, _ in pairs)
    left = sum(1 - new for _, new in pairs)
    if error:
        return 1 - left / error
    return None if left or not pairs else 0.0


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of those values that are there, or None."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
