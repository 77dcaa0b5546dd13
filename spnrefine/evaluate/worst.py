"""The page of the objects that a method got most wrong: as the report of a batch, with the truth beside each."""

import heapq
import itertools
from collections.abc import Mapping
from typing import Any

from spnrefine.evaluate.evaluation import COARSE, Measured
from spnrefine.evaluate.subjects import Found, Subject
from spnrefine.evaluate.summary import MADE_WORSE
from spnrefine.review.report import Report
from spnrefine.review.thumbnails import Thumbnail, thumbnail

MOST = 100  # pictures of a page: some 20 kilobytes each
TRUE = "beside the truth (its outline the coarse one's colour)"

Kept = tuple[dict[str, Any], Thumbnail, Thumbnail]


class Worst:
    """Keeps small pictures of the objects of the lowest IoU of the method ``ours``, at most so many."""

    def __init__(self, ours: str, most: int = MOST):
        self._ours, self._most = ours, most
        self._kept: list[tuple[float, int, Kept]] = []  # a heap, the best of them first
        self._numbers = itertools.count()

    def __call__(self, subject: Subject, found: Mapping[str, Found], measured: Measured) -> None:
        """Look at what was measured; what is better than all that is kept is forgotten."""
        iou = measured.outcomes[self._ours].scores.iou
        if iou is None or (len(self._kept) == self._most and -iou <= self._kept[0][0]):
            return
        image, refined = subject.loaded.image, found[self._ours].inside
        pictures = thumbnail(image, found[COARSE].inside, refined), thumbnail(image, subject.truth.inside, refined)
        entry = (-iou, next(self._numbers), (_record(subject, measured, self._ours), *pictures))
        (heapq.heappushpop if len(self._kept) == self._most else heapq.heappush)(self._kept, entry)

    def report(self, about: Mapping[str, Any]) -> Report:
        """Return the page; ``about`` is what it says of the run, by name."""
        report = Report({**about, "expected error": "here the measured 1 - IoU", "shown": f"the worst {self._most}"})
        for _, _, (record, changed, true) in self._kept:
            report.add_thumbnail(record, changed, [(TRUE, true)])
        return report


def _record(subject: Subject, measured: Measured, ours: str) -> dict[str, Any]:
    before, after = (measured.outcomes[name].scores for name in (COARSE, ours))
    gained = 0.0 if before.iou is None or after.iou is None else after.iou - before.iou
    status = "better" if gained > MADE_WORSE else "made worse" if gained < -MADE_WORSE else "alike"
    return {
        "image": subject.image,
        "mask": subject.mask,
        "status": status,
        "quality_before": before.iou,
        "quality_after": after.iou,
        "seconds": round(measured.outcomes[ours].seconds, 4),
        "notes": [f"{name}: {_figure(old)} before, {_figure(new)} after" for name, old, new in _pairs(before, after)],
    }


def _pairs(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    return [(name, before.value(name), after.value(name)) for name in after.names]


def _figure(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"
