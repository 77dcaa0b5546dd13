"""Refine one mask, or all ids of one label map."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.job.record import Record, measure
from spnrefine.job.types import Loaded, Refined, Settings
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.contour import contour_distance
from spnrefine.refiner.joint import refine_labels
from spnrefine.refiner.restraint import restrain


def refine_single(loaded: Loaded, refiner: RefinesMasks | None, settings: Settings, record: Record) -> Refined:
    """Refine a mask that is no stack and say in ``record`` what became of it; void pixels stay as they are."""
    mask, coarse = loaded.mask, loaded.mask.probability
    before = coarse > settings.threshold if mask.labels is None else mask.labels
    made = loaded.made
    if mask.is_empty or (mask.is_full and made is None):
        record.status = "empty" if mask.is_empty else "full"
        record.changed = 0.0
        return Refined(coarse, before, before)
    after: NDArray
    if made is not None and made.after is not None and made.probability is not None:
        after, probability = made.after, made.probability
    elif refiner is None:
        raise TypeError("a mask that was not refined where it was made needs a refiner")
    elif mask.labels is None:
        probability = refiner(loaded.image, coarse)
        after = probability > settings.threshold
    else:
        after, probability = refine_labels(refiner, loaded.image, mask.labels, mask.void)
    if mask.void is not None:
        after = np.where(mask.void, before, after)
    after, record.notes = restrain(before, after, settings.restraint, mask.void)
    if settings.restraint.band is not None and mask.labels is None:
        probability = np.where(contour_distance(before) > settings.restraint.band, coarse, probability)
    measure(record, before, after, probability, mask.void)
    if after is before and record.notes:
        record.status = "kept"
        probability = coarse
    else:
        record.status = "refined" if record.changed else "unchanged"
    return Refined(probability, before, after)
