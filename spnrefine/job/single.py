"""Refine one mask, or all ids of one label map."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.where import above
from spnrefine.files.packed import compact
from spnrefine.job.outcome import as_let_through, conclude, pass_through, within_band
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, Refined, Settings
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.joint import refine_labels
from spnrefine.refiner.presence import is_empty, is_full


def refine_single(loaded: Loaded, refiner: RefinesMasks | None, settings: Settings, record: Record) -> Refined:
    """Refine a mask that is no stack and say in ``record`` what became of it; void pixels stay as they are."""
    mask, coarse = loaded.mask, compact(loaded.mask)
    before = above(coarse, settings.threshold) if mask.labels is None else mask.labels
    empty = is_empty(coarse)
    full = mask.labels is None and is_full(coarse, mask.void)
    if empty or (full and loaded.made is None):
        pass_through(record, "empty" if empty else "full")
        return Refined(mask.probability, before, before)
    wanted, probability = _refine(loaded, refiner, settings)
    if mask.void is not None:
        wanted = np.where(mask.void, before, wanted)
    if mask.labels is None:
        probability = within_band(before, coarse, probability, settings)
    after = conclude(record, before, wanted, probability, settings, mask.void)
    if record.status == "kept":
        return Refined(mask.probability, before, after)
    if mask.labels is None:
        probability = as_let_through(coarse, probability, wanted, after)
    return Refined(probability, before, after)


def _refine(loaded: Loaded, refiner: RefinesMasks | None, settings: Settings) -> tuple[NDArray, NDArray[np.float32]]:
    """Return the refined mask (H, W), bools or ids, and the probability of the object or of each pixel's id."""
    mask, made = loaded.mask, loaded.made
    if made is not None and made.after is not None and made.probability is not None:
        return made.after, made.probability
    if refiner is None:
        raise TypeError("a mask that was not refined where it was made needs a refiner")
    if mask.labels is not None:
        return refine_labels(refiner, loaded.image, mask.labels, mask.void)
    coarse = compact(mask) if getattr(refiner, "takes_bools", False) else mask.probability
    probability = refiner(loaded.image, coarse)
    return probability > settings.threshold, probability
