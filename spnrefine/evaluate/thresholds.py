"""The error of soft masks by the threshold above which a pixel is the object."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = np.arange(1, 20) / 20
"""0.05 to 0.95."""


def errors_by_threshold(
    probability: NDArray[np.float32], truth: NDArray[np.bool_], valid: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return 1 - IoU of what is above each of `THRESHOLDS`; 0 where that and the truth are empty.

    All are (H, W); pixels that are not ``valid`` do not count, and where none is, all is NaN.
    """
    if not valid.any():
        return np.full(len(THRESHOLDS), np.nan)
    passed = np.searchsorted(THRESHOLDS, probability[valid], side="left")  # how many thresholds it is above
    inside = truth[valid]
    right, wrong = (
        np.bincount(passed[which], minlength=len(THRESHOLDS) + 1)[::-1].cumsum()[::-1][1:]
        for which in (inside, ~inside)
    )
    either = inside.sum() + wrong
    return np.where(either > 0, 1 - right / np.maximum(either, 1), 0.0)


def mean_errors(each: Sequence[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """Return the means over those pictures that have a known pixel; None where none has."""
    known = [errors for errors in each if not np.isnan(errors).any()]
    return np.asarray(np.mean(known, 0)) if known else None
