"""The page of the pictures whose maps of instances or classes a method got most wrong, each beside its truth."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.summary import MADE_WORSE
from spnrefine.evaluate.worst import TRUE
from spnrefine.files.images import read_photograph
from spnrefine.files.tiff_photographs import Bands
from spnrefine.review.report import Report
from spnrefine.review.thumbnails import thumbnail


class Maps(NamedTuple):
    """The maps of ids of one picture (H, W), 0 what is nothing, and how good those before and after are.

    ``notes`` are said beside it; ``score`` is what orders the page, in 0..1.
    """

    path: Path
    coarse: NDArray[np.integer]
    refined: NDArray[np.integer]
    true: NDArray[np.integer]
    before: float | None
    score: float
    notes: list[str]


def page(worst: Iterable[Maps], about: Mapping[str, Any], bands: Bands | None = None) -> Report:
    """Return the page; ``about`` is what it says of the run, by name, ``bands`` are those of the photographs."""
    report = Report(about)
    for each in worst:
        image = read_photograph(each.path, bands).pixels
        changed, true = thumbnail(image, each.coarse, each.refined), thumbnail(image, each.true, each.refined)
        report.add_thumbnail(_record(each), changed, [(TRUE, true)])
    return report


def _record(maps: Maps) -> dict[str, Any]:
    gained = 0.0 if maps.before is None else maps.score - maps.before
    return {
        "image": str(maps.path),
        "status": "better" if gained > MADE_WORSE else "made worse" if gained < -MADE_WORSE else "alike",
        "quality_before": maps.before,
        "quality_after": maps.score,
        "notes": maps.notes,
    }
