"""Refine a stack of planes: a distribution over classes jointly, independent masks one by one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box, bounding_box
from spnrefine.files import masks
from spnrefine.files.stacks import Stack, one_hot
from spnrefine.job.outcome import as_let_through, conclude, pass_through, within_band
from spnrefine.job.record import Record, mean
from spnrefine.job.single import refine_single
from spnrefine.job.types import Loaded, Refined, Settings
from spnrefine.model.framing import PRESENT
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.box import view_of
from spnrefine.refiner.joint import BACKGROUND, most_probable, refine_planes
from spnrefine.refiner.presence import is_empty

STATUSES = ("refined", "kept", "unchanged", "full", "empty")
"""The first that any plane has is the stack's."""

Ids = NDArray[np.uint16]


def refine_stack(
    image: NDArray[np.uint8], stack: Stack, refiner: RefinesMasks, settings: Settings, record: Record
) -> Refined:
    """Refine a stack over ``image`` (H, W, 3) and say in ``record`` what became of it."""
    if stack.is_distribution:
        return _refine_distribution(image, stack, refiner, settings, record)
    return _refine_each(image, stack.planes, refiner, settings, record)


def _refine_distribution(
    image: NDArray[np.uint8], stack: Stack, refiner: RefinesMasks, settings: Settings, record: Record
) -> Refined:
    coarse = stack.planes
    before = stack.ids(settings.threshold)
    present = [number for number, plane in enumerate(coarse) if not is_empty(plane)]
    if len(present) == 1:  # no border between any two
        pass_through(record, "empty" if present[0] == BACKGROUND else "full")
        return _joint(coarse, before, before, settings)
    planes = refine_planes(refiner, image, coarse)
    hard = most_probable(planes, before)
    planes = within_band(before, coarse, planes, settings)
    after = conclude(record, before, hard, planes.max(axis=0), settings)
    kept = record.status == "kept"
    return _joint(coarse if kept else as_let_through(coarse, planes, hard, after), before, after, settings)


def _joint(planes: NDArray[np.float32], before: Ids, after: Ids, settings: Settings) -> Refined:
    return Refined(planes.max(axis=0), before, after, planes if settings.soft else one_hot(after, len(planes)))


def _refine_each(
    image: NDArray[np.uint8], coarse: NDArray[np.float32], refiner: RefinesMasks, settings: Settings, record: Record
) -> Refined:
    """Refine planes one after another, each in the view of what lies in it, and lay the last ones on top."""
    records = [replace(record, notes=[]) for _ in coarse]
    planes: NDArray = np.zeros(coarse.shape, np.float32 if settings.soft else np.bool_)
    best = np.zeros(coarse.shape[1:], np.float32)
    before, after = (np.zeros(coarse.shape[1:], np.uint16) for _ in range(2))
    areas = []
    for number, (plane, own) in enumerate(zip(coarse, records, strict=True), 1):
        view = _view(plane, settings)
        here = view.slices
        loaded = Loaded(np.ascontiguousarray(image[here]), masks.of_array(np.ascontiguousarray(plane[here])))
        done = refine_single(loaded, refiner, settings, own)
        areas.append(int(done.before.sum()))
        refined = plane.copy()
        refined[here] = done.probability
        np.maximum(best, refined, out=best)
        if settings.soft:
            planes[number - 1] = refined
        else:
            planes[number - 1][here] = done.after
        before[here][done.before] = number
        after[here][done.after] = number
    sum_up(record, records, areas)
    return Refined(best, before, after, planes)


def _view(plane: NDArray[np.float32], settings: Settings) -> Box:
    """Return the box in which a plane is refined; a panorama is turned, and needs the whole."""
    height, width = plane.shape
    box = bounding_box(plane > min(PRESENT, settings.threshold))
    if box is None or settings.wrap:
        return Box(0, height, 0, width)
    return view_of(box, height, width)


def sum_up(record: Record, planes: Sequence[Record], areas: Sequence[int]) -> None:
    """Put into a stack's record what its planes' say: sums of counts, shares by area, means of the rest."""
    statuses = {own.status for own in planes}
    record.status = next(status for status in STATUSES if status in statuses)
    moved = sum((own.changed or 0.0) * max(area, 1) for own, area in zip(planes, areas, strict=True))
    record.changed = round(moved / max(sum(areas), 1), 6)
    record.notes = [f"plane {number}: {note}" for number, own in enumerate(planes) for note in own.notes]
    record.contour_shift = mean([own.contour_shift for own in planes], 3)
    record.uncertainty = mean([own.uncertainty for own in planes], 4)
    record.doubt = mean([own.doubt for own in planes], 4)
    record.components_before = _total([own.components_before for own in planes])
    record.components_after = _total([own.components_after for own in planes])
    record.holes_before = _total([own.holes_before for own in planes])
    record.holes_after = _total([own.holes_after for own in planes])


def _total(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return int(sum(known)) if known else None
