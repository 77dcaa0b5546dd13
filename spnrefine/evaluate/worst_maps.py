"""The page of the pictures whose maps of instances or classes a method got most wrong, each beside its truth."""

import heapq
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.summary import MADE_WORSE
from spnrefine.evaluate.worst import MOST, TRUE
from spnrefine.review.pictures import RGB
from spnrefine.review.report import Report
from spnrefine.review.thumbnails import Thumbnail, thumbnail

Ids = NDArray[np.integer]
Kept = tuple[dict[str, Any], Thumbnail, Thumbnail]


class MapsOfPicture(NamedTuple):
    """A photograph (H, W, 3), maps of ids on it (H, W), 0 what is nothing, and how good those before and after are.

    ``notes`` are said beside it; ``score`` is what orders the page, in 0..1.
    """

    path: Path
    image: RGB
    coarse: Ids
    refined: Ids
    true: Ids
    before: float | None
    score: float
    notes: list[str]


class WorstMaps:
    """Keeps small pictures of those of the lowest score, at most so many."""

    def __init__(self, most: int = MOST):
        self._most = most
        self._kept: list[tuple[float, int, Kept]] = []  # a heap, the best of them first
        self._numbers = itertools.count()

    def takes(self, score: float) -> bool:
        """Tell whether one of this score would be kept."""
        return len(self._kept) < self._most or -score > self._kept[0][0]

    def add(self, maps: MapsOfPicture) -> None:
        """Keep pictures of what is among the worst."""
        if self.takes(maps.score):
            changed, true = (thumbnail(maps.image, side, maps.refined) for side in (maps.coarse, maps.true))
            entry = -maps.score, next(self._numbers), (_record(maps), changed, true)
            (heapq.heappushpop if len(self._kept) == self._most else heapq.heappush)(self._kept, entry)

    def page(self, about: Mapping[str, Any], measure: str) -> Report:
        """Return the page; ``about`` is what it says of the run, by name, ``measure`` what the score is."""
        said = {"expected error": f"here the measured 1 - {measure}", "shown": f"the worst {self._most}"}
        report = Report({**about, **said})
        for _, _, (record, changed, true) in self._kept:
            report.add_thumbnail(record, changed, [(TRUE, true)])
        return report


def _record(maps: MapsOfPicture) -> dict[str, Any]:
    gained = 0.0 if maps.before is None else maps.score - maps.before
    return {
        "image": str(maps.path),
        "status": "better" if gained > MADE_WORSE else "made worse" if gained < -MADE_WORSE else "alike",
        "quality_before": maps.before,
        "quality_after": maps.score,
        "notes": maps.notes,
    }
