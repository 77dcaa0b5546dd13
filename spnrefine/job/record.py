"""What was done to one mask, in numbers."""

from dataclasses import asdict, dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import bounding_box
from spnrefine.boxes.ids import BACKGROUND, find_ids
from spnrefine.refiner.contour import contour, contour_distance
from spnrefine.refiner.restraint import changed_share

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
        would have changed too much, or vanished), empty or full (returned as it came), skipped (done in an earlier
        run), no mask (of a photograph in a batch), or failed, with the reason in ``error``.
    changed : pixels that changed as a share of the coarse mask's area.
    contour_shift : mean distance of the refined contour from the coarse one, in the photograph's pixels.
    components_before, components_after : 8-connected parts, of all ids together.
    holes_before, holes_after : 4-connected holes, of all ids together.
    uncertainty : mean of 4 p (1 - p) within 3 pixels of the coarse contour, 0..1.
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


def measure(
    record: Record, before: NDArray, after: NDArray, probability: NDArray[np.float32], void: NDArray[np.bool_] | None
) -> None:
    """Fill in the numbers of ``record`` for masks (H, W) of bools or ids."""
    record.changed = round(changed_share(before, after, void), 6)
    if void is not None:  # it is no object, and its edge is none that a refinement moves
        before, after = (np.where(void, BACKGROUND, ids).astype(ids.dtype) for ids in (before, after))
    box = bounding_box((before != BACKGROUND) | (after != BACKGROUND))
    if box is None:
        return
    here = box.grown(BAND + 1, *before.shape).slices
    before, after, probability = before[here], after[here], probability[here]
    distance = contour_distance(before)
    edge = contour(after)
    if edge.any() and np.isfinite(distance).all():
        record.contour_shift = round(float(distance[edge].mean()) - 1, 3)  # 1 is the contour itself
    record.components_before, record.holes_before = parts_and_holes(before)
    record.components_after, record.holes_after = parts_and_holes(after)
    near = distance <= BAND if void is None else (distance <= BAND) & ~void[here]
    if near.any():
        p = probability[near]
        record.uncertainty = round(float((4 * p * (1 - p)).mean()), 4)


def parts_and_holes(labels: NDArray) -> tuple[int, int]:
    """Count 8-connected parts and 4-connected holes of a mask (H, W), or of all ids of a label map together."""
    parts = holes = 0
    for number, box in zip(*find_ids(labels), strict=True):
        inside = np.pad((labels[box.slices] == number).astype(np.uint8), 1)
        parts += cv2.connectedComponents(inside, connectivity=8)[0] - 1
        holes += cv2.connectedComponents(1 - inside, connectivity=4)[0] - 2  # the inside, and what lies all around
    return parts, holes
