"""What of a refinement is let through, and what its record says of it."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.job.record import Record, measure
from spnrefine.job.types import Settings
from spnrefine.refiner.contour import contour_distance
from spnrefine.refiner.restraint import restrain


def within_band(
    before: NDArray, coarse: NDArray[np.float32], refined: NDArray[np.float32], settings: Settings
) -> NDArray[np.float32]:
    """Put the coarse probabilities back outside the band around the coarse contour, where the settings have one.

    Parameters
    ----------
    before : (H, W) bools or ids, the coarse mask.
    coarse, refined : (H, W) or (K, H, W) in 0..1.
    """
    band = settings.restraint.band
    return refined if band is None else np.where(contour_distance(before) > band, coarse, refined)


def as_let_through(
    coarse: NDArray[np.float32], refined: NDArray[np.float32], wanted: NDArray, after: NDArray
) -> NDArray[np.float32]:
    """Put the coarse probabilities back where the hard mask was taken back from what the refinement ``wanted``.

    Parameters
    ----------
    coarse, refined : (H, W) or (K, H, W) in 0..1. wanted, after : (H, W) bools or ids.
    """
    return refined if after is wanted else np.where(wanted != after, coarse, refined)


def conclude(
    record: Record,
    before: NDArray,
    after: NDArray,
    probability: NDArray[np.float32],
    settings: Settings,
    void: NDArray[np.bool_] | None = None,
) -> NDArray:
    """Take back what the settings do not allow, and fill in ``record``: status, numbers and notes.

    Parameters
    ----------
    before, after : (H, W) bools or ids, the coarse and the refined mask.
    probability : (H, W) in 0..1, of the object, or of each pixel's id.
    void : (H, W), pixels that do not count; the same in both masks.

    Returns
    -------
    The mask that is let through: ``before`` itself where the status is "kept".
    """
    after, record.notes = restrain(before, after, settings.restraint, void)
    measure(record, before, after, probability, void)
    if after is before and record.notes:
        record.status = "kept"
    else:
        record.status = "refined" if record.changed else "unchanged"
    if record.changes_topology:
        record.notes.append(record.topology_in_words())
    return after


def pass_through(record: Record, status: str) -> None:
    """Say that a mask has no contour that could be refined, being "empty" or "full"."""
    record.status, record.changed = status, 0.0
