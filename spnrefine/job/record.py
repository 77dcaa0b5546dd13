"""What was done to one mask, in numbers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import BACKGROUND, find_ids, strips
from spnrefine.boxes.where import box_where
from spnrefine.job.doubts import wrong
from spnrefine.refiner.contour import outlines
from spnrefine.refiner.noting import Used
from spnrefine.refiner.restraint import changed_share
from spnrefine.refiner.shift import contour_shift, near_contour

SCHEMA = 1
"""Raised when a key of a record changes its name or meaning."""

BAND = 3
"""Pixels from the coarse contour within which uncertainty is measured."""


@dataclass
class Record:
    """What was done to one mask, as ``--json`` prints it.

    Attributes
    ----------
    image, mask, output : paths as given, ``output`` of the refined mask.
    status : refined, made (of a photograph without a mask, by what was asked to), unchanged (no pixel moved), kept (it
        would have changed too much, or vanished, or was to be kept), empty or full (returned as it came), skipped (done
        in an earlier run), by hand (somebody put it there, or edited it), no mask (of a photograph in a batch), or
        failed, with the reason in ``error``.
    changed : pixels that changed as a share of the coarse mask's area.
    contour_shift : mean distance of the refined contour from the coarse one, in the photograph's pixels.
    components_before, components_after : 8-connected parts, of all ids together.
    holes_before, holes_after : 4-connected holes, of all ids together.
    uncertainty : mean of 4 p (1 - p) within 3 pixels of the coarse contour, 0..1.
    doubt : what the mask's own probabilities leave open: the pixels that they expect to be wrong, as a share of the
        refined mask's area, 0..1; of several masks that which is most doubtful is mostly the one that is worst.
    strength : 0..1, how far the contour went from the coarse to the refined one; the mean where there are several.
    off : pixels that the mask's edge was said to be off, None where nothing was said; the mean likewise.
    quality_before, quality_after : the IoU with the truth that is expected of the coarse mask and of the refined one,
        0..1, as far as it can be told without the truth; the mean of the first twelve ids or planes.
    seconds : of the refinement, without reading and writing.
    notes : what ``--band``, ``--max-change`` or ``--keep-topology`` took back, that nothing would have been left, that
        many parts or holes came or went, how a doubtful mask was read, what an empty one holds, and whether the format
        is another.
    """

    image: str
    mask: str | None
    output: str | None = None
    status: str = "refined"
    changed: float | None = None
    contour_shift: float | None = None
    components_before: int | None = None
    components_after: int | None = None
    holes_before: int | None = None
    holes_after: int | None = None
    uncertainty: float | None = None
    doubt: float | None = None
    strength: float | None = None
    off: float | None = None
    quality_before: float | None = None
    quality_after: float | None = None
    seconds: float | None = None
    notes: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def changes_topology(self) -> bool:
        """Whether the number of parts or of holes changed by more than a tenth, and by more than one."""
        counts = (self.components_before, self.components_after), (self.holes_before, self.holes_after)
        return any(
            before is not None and after is not None and abs(after - before) > max(0.1 * before, 1)
            for before, after in counts
        )

    def topology_in_words(self) -> str:
        """Say how many parts and holes there were and are."""
        before = f"{self.components_before} parts with {self.holes_before} holes"
        return f"{before} became {self.components_after} with {self.holes_after}"

    def as_dict(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **asdict(self)}


def say_used(record: Record, used: Sequence[Used]) -> None:
    """Say in ``record`` what a refiner used for its mask, or for each of its ids or planes."""
    record.strength = mean([one.strength for one in used], 4)
    record.off = mean([one.off for one in used], 3)
    record.quality_before = mean([one.quality_before for one in used], 4)
    record.quality_after = mean([one.quality_after for one in used], 4)


def mean(values: Sequence[float | None], digits: int) -> float | None:
    """Return the mean of those that are known, None where none is."""
    known = [value for value in values if value is not None]
    return round(fmean(known), digits) if known else None


def measure(
    record: Record, before: NDArray, after: NDArray, probability: NDArray[np.float32], void: NDArray[np.bool_] | None
) -> None:
    """Fill in the numbers of ``record`` for masks (H, W) of bools or ids."""
    record.changed = round(changed_share(before, after, void), 6)
    if void is not None:  # it is no object, and its edge is none that a refinement moves
        before, after = (np.where(void, BACKGROUND, ids).astype(ids.dtype) for ids in (before, after))
    record.doubt = _doubt(after, probability, void)
    box = box_where(lambda one, other: (one != BACKGROUND) | (other != BACKGROUND), before, after)
    if box is None:
        return
    here = box.grown(BAND + 1, *before.shape).slices
    before, after, probability = before[here], after[here], probability[here]
    shift = contour_shift(before, after)
    doubt = _near_the_contour(before, probability, None if void is None else void[here])
    if len(shift) and np.isfinite(shift).all():
        record.contour_shift = round(float(shift.mean()) - 1, 3)  # 1 is the contour itself
    record.components_before, record.holes_before = parts_and_holes(before)
    record.components_after, record.holes_after = parts_and_holes(after)
    if len(doubt):
        record.uncertainty = round(float((4 * doubt * (1 - doubt)).mean()), 4)


def _near_the_contour(
    before: NDArray, probability: NDArray[np.float32], void: NDArray[np.bool_] | None
) -> NDArray[np.float32]:
    """Return the probabilities near the coarse contour."""
    found = []
    for rows in strips(*before.shape):
        top = max(rows.start - BAND, 0)
        near = near_contour(before[top : rows.stop + BAND], BAND)[rows.start - top : rows.stop - top]
        found.append(probability[rows][near if void is None else near & ~void[rows]])
    return np.concatenate(found)


def _doubt(after: NDArray, probability: NDArray[np.float32], void: NDArray[np.bool_] | None) -> float | None:
    """Sum the probabilities of all pixels to be wrong, as a share of the mask's area; None where it is empty."""
    area = int(np.count_nonzero(after))
    total = 0.0
    for rows in strips(*after.shape):
        found = wrong(after[rows], after[rows], probability[rows])
        total += float((found if void is None else found[~void[rows]]).sum(dtype=np.float64))
    return round(min(total / area, 1.0), 4) if area else None


def parts_and_holes(labels: NDArray) -> tuple[int, int]:
    """Count 8-connected parts and 4-connected holes of a mask (H, W), or of all ids of a label map together."""
    if labels.dtype == np.bool_:
        return outlines(labels.view(np.uint8))
    parts = holes = 0
    for number, box in zip(*find_ids(labels), strict=True):
        found = outlines((labels[box.slices] == number).view(np.uint8))
        parts, holes = parts + found[0], holes + found[1]
    return parts, holes
