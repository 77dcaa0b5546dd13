"""Do no harm: how far a refined mask may go from the coarse one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.where import any_where, box_where, count_where
from spnrefine.refiner.contour import contour_distance
from spnrefine.refiner.lost import restore_lost
from spnrefine.refiner.part_changes import changes_too_much


@dataclass(frozen=True)
class Restraint:
    """What a refinement may change.

    ``band``: only pixels at most so many pixels from the coarse contour, 1 being those beside it; None is everywhere.
    ``max_change``: a part of which more pixels change than this share of its area stays as it came.
    ``keep_topology``: the number of parts and of holes stays. Each acts on every part by itself.
    """

    band: float | None = None
    max_change: float | None = None
    keep_topology: bool = False


def restrain(
    before: NDArray, after: NDArray, restraint: Restraint, void: NDArray[np.bool_] | None = None
) -> tuple[NDArray, list[str]]:
    """Take back what ``restraint`` does not allow, and a loss that nothing allows: see :func:`is_lost`.

    Parameters
    ----------
    before, after : (H, W) bools, or ids of which 0 is the background: the coarse and the refined mask.
    void : (H, W) bool, pixels that do not count; the same in both.

    Returns
    -------
    The restrained mask, and in words what was taken back: nothing where ``after`` is allowed.
    """
    notes: list[str] = []
    box = box_where(np.not_equal, before, after)
    if box is None:
        return after, notes
    if restraint.band is not None:
        far = contour_distance(before) > restraint.band
        if (far & (before != after)).any():
            after = np.where(far, before, after)
            if before.dtype != np.bool_:
                after = restore_lost(before, after)
            notes.append(f"kept {restraint.band:g} pixels from the coarse contour")
    if restraint.keep_topology:
        from spnrefine.refiner.topology import keep_topology  # compiled by Numba: only when asked for

        around = box.grown(1, *before.shape).slices
        kept = after.copy()
        kept[around] = keep_topology(before[around], after[around])
        if (kept != after).any():
            notes.append("kept its parts and holes")
        after = kept
    if is_lost(before, after):
        return before, [*notes, "nothing of it would have been left: returned as it came"]
    if restraint.max_change is not None:
        after, said = _limit_change(before, after, restraint.max_change, void)
        notes += said
    return after, notes


def _limit_change(
    before: NDArray, after: NDArray, most: float, void: NDArray[np.bool_] | None
) -> tuple[NDArray, list[str]]:
    """Take back the changes of parts that would change too much; the result is ``before`` itself where none are left.

    Pixels that come from no part and go to none, as in a mask that was nothing, count together.
    """
    share = changed_share(before, after, void)
    found = changes_too_much(before, after, most, void)
    whole = f"{share:.3f} of its area would have changed: returned as it came"
    if found is None:
        return (before, [whole]) if share > most else (after, [])
    if not found.parts:
        return after, []
    limited = np.where(found.pixels, before, after)
    if before.dtype != np.bool_:
        limited = restore_lost(before, limited)
    if (limited == before).all():
        return before, [whole]
    return limited, [f"{found.parts} of {found.all_parts} parts would have changed too much: they stay as they came"]


def is_lost(before: NDArray, after: NDArray) -> bool:
    """Tell if no pixel of a mask is left in its refined one, (H, W) bools; of ids none is lost where they are refined.

    A mask of a few pixels may vanish, or end up beside where it was: such a mask is better left alone.
    """
    return before.dtype == np.bool_ and bool(before.any()) and not any_where(np.logical_and, before, after)


def changed_share(before: NDArray, after: NDArray, void: NDArray[np.bool_] | None = None) -> float:
    """Return the pixels that changed as a share of the coarse mask's area."""
    area = np.count_nonzero(before if void is None else (before != 0) & ~void)
    return count_where(np.not_equal, before, after) / max(int(area), 1)
