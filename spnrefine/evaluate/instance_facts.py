"""What was measured of instances, as the object that ``spnrefine eval-instances --json`` prints."""

from collections.abc import Sequence
from typing import Any

from spnrefine.errors import FileError
from spnrefine.evaluate.average_precision import MOST_FOUND, Precision, average_precision
from spnrefine.evaluate.facts import DIGITS
from spnrefine.evaluate.instances import ANY, COARSE, REFINED, Picture
from spnrefine.evaluate.intervals import Interval
from spnrefine.evaluate.panoptic_quality import Counted, count, pq_interval


def of(pictures: Sequence[Picture], boundary_share: float) -> dict[str, Any]:
    """Return for each method how many instances there are, AP, boundary AP and PQ, by size and category as well.

    Raises
    ------
    FileError
        What was found has no category of the truth.
    MissingExtraError
        Without pycocotools.
    """
    methods = list(pictures[0].found)
    categories = _categories(pictures)
    most = MOST_FOUND
    has_scores = all(one.score is not None for picture in pictures for one in picture.found[COARSE])
    if not has_scores:  # maps of cells hold more, and nothing says which to leave out
        most = max([most, *(len(found) for picture in pictures for found in picture.found.values())])
    counted = {method: count(pictures, method, categories) for method in methods}
    results = {}
    for method in methods:
        whole = average_precision(pictures, method, categories, most=most)
        banded = average_precision(pictures, method, categories, boundary_share=boundary_share, most=most)
        instances = sum(len(picture.found[method]) for picture in pictures)
        results[method] = {"instances": instances, **_row(whole, banded, counted[method])}
    return {
        "photographs": len(pictures),
        "true_instances": sum(not one.crowd for picture in pictures for one in picture.true),
        "categories": list(categories),
        "measures": {
            "ap": {"iou": "0.5 to 0.95", "most": most, "source": "Lin et al., ECCV 2014"},
            "boundary_ap": {"band": f"{boundary_share:g} of the diagonal", "source": "Cheng et al., CVPR 2021"},
            "pq": {"source": "Kirillov et al., CVPR 2019"},
        },
        "results": results,
        "pq_above": _above(counted),
        "notes": list(_notes(categories, counted, has_scores=has_scores)),
    }


def _categories(pictures: Sequence[Picture]) -> list[str]:
    """Return the categories of the truth; `ANY` where an instance of either side has none."""
    true = [one for picture in pictures for one in picture.true]
    found = [one for picture in pictures for each in picture.found.values() for one in each]
    named = {one.category for one in true}
    if not named or None in named | {one.category for one in found}:
        return [ANY]
    known = sorted(str(name) for name in named)
    if found and not named & {one.category for one in found}:
        raise FileError(
            f"The truth has the categories {', '.join(known[:3])}, what was found {found[0].category}, and none in "
            "common: name them alike."
        )
    return known


def _row(whole: Precision, banded: Precision, counted: Counted | None) -> dict[str, Any]:
    quality = None if counted is None else counted.mean()
    by_category = {} if counted is None else counted.by_category()
    row = {
        "ap": _rounded(whole.ap),
        "ap50": _rounded(whole.ap50),
        "ap75": _rounded(whole.ap75),
        "boundary_ap": _rounded(banded.ap),
        "pq": _rounded(None if quality is None else quality.pq),
        "sq": _rounded(None if quality is None else quality.sq),
        "rq": _rounded(None if quality is None else quality.rq),
        "pq_interval": None if counted is None else _pair(pq_interval(counted)),
    }
    sizes = {
        size: {"ap": _rounded(whole.by_size[size]), "boundary_ap": _rounded(banded.by_size[size])}
        for size in whole.by_size
    }
    categories = {
        category: {
            "ap": _rounded(whole.by_category[category]),
            "boundary_ap": _rounded(banded.by_category[category]),
            "pq": _rounded(by_category[category].pq if category in by_category else None),
        }
        for category in whole.by_category
    }
    return row | {"by_size": sizes, "by_category": categories}


def _above(counted: dict[str, Counted | None]) -> dict[str, Any]:
    """Return by how much the refined masks' quality is above each other's, and the interval of that."""
    ours = counted[REFINED]
    above = {}
    for name, other in counted.items():
        if name != REFINED and ours is not None and other is not None:
            mine, theirs = ours.mean().pq, other.mean().pq
            known = mine is not None and theirs is not None
            difference = _rounded(mine - theirs) if known else None  # type: ignore[operator]
            above[name] = {"difference": difference, "interval": _pair(pq_interval(ours, other))}
    return above


def _notes(categories: Sequence[str], counted: dict[str, Counted | None], *, has_scores: bool) -> list[str]:
    notes = []
    if not has_scores:
        notes.append("What was found has no scores: all are taken for 1, and AP goes by the order of the instances.")
    if list(categories) == [ANY]:
        notes.append("Not all instances have a category: all are measured as one.")
    if any(each is None for each in counted.values()):
        names = ", ".join(name for name, each in counted.items() if each is None)
        notes.append(f"Instances of {names}, or true ones, overlap: panoptic quality is not defined.")
    return notes


def _pair(interval: Interval) -> list[float | None] | None:
    return None if interval.low is None else [_rounded(bound) for bound in interval]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
