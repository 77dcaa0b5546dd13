"""What was measured of instances, as the object that ``spnrefine eval-instances --json`` prints."""

from collections.abc import Mapping, Sequence
from typing import Any

from spnrefine.evaluate.facts import DIGITS
from spnrefine.evaluate.instance_chance import chance
from spnrefine.evaluate.instance_quality import FIGURES, Qualities, Quality
from spnrefine.evaluate.instances import ANY, REFINED, Picture
from spnrefine.evaluate.intervals import Interval


def of(pictures: Sequence[Picture], measured: Qualities, boundary_share: float) -> dict[str, Any]:
    """Return for each method how many instances there are, AP, boundary AP and PQ, by size and category as well."""
    qualities, categories = measured.of, measured.categories
    drawn = chance(qualities, REFINED)
    return {
        "photographs": len(pictures),
        "true_instances": sum(not one.crowd for picture in pictures for one in picture.true),
        "categories": list(categories),
        "measures": {
            "ap": {"iou": "0.5 to 0.95", "most": measured.most, "source": "Lin et al., ECCV 2014"},
            "boundary_ap": {"band": f"{boundary_share:g} of the diagonal", "source": "Cheng et al., CVPR 2021"},
            "pq": {"source": "Kirillov et al., CVPR 2019"},
        },
        "results": {
            method: {"instances": sum(len(picture.found[method]) for picture in pictures), **_row(quality)}
            for method, quality in qualities.items()
        },
        "draws": drawn.draws,
        "intervals": {
            name: {figure: _pair(each) for figure, each in row.items()} for name, row in drawn.intervals.items()
        },
        "above": {
            REFINED: {
                name: {
                    figure: {"difference": _difference(qualities, name, figure), "interval": _pair(row[figure])}
                    for figure in FIGURES
                }
                for name, row in drawn.above.items()
            }
        },
        "notes": _notes(measured),
    }


def _row(quality: Quality) -> dict[str, Any]:
    whole, banded, counted = quality
    mean = None if counted is None else counted.mean()
    by_category = {} if counted is None else counted.by_category()
    row = {figure: _rounded(quality.value(figure)) for figure in FIGURES}
    row |= {name: _rounded(None if mean is None else getattr(mean, name)) for name in ("sq", "rq")}
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


def _difference(qualities: Mapping[str, Quality], name: str, figure: str) -> float | None:
    """Return by how much the refined masks' figure is above another method's."""
    ours, theirs = qualities[REFINED].value(figure), qualities[name].value(figure)
    return None if ours is None or theirs is None else _rounded(ours - theirs)


def _notes(measured: Qualities) -> list[str]:
    notes = []
    if not measured.has_scores:
        notes.append("What was found has no scores: all are taken for 1, and AP goes by the order of the instances.")
    if measured.categories == [ANY]:
        notes.append("Not all instances have a category: all are measured as one.")
    names = [name for name, quality in measured.of.items() if quality.counted is None]
    if names:
        notes.append(f"Instances of {', '.join(names)}, or true ones, overlap: panoptic quality is not defined.")
    return notes


def _pair(interval: Interval) -> list[float | None] | None:
    return None if interval.low is None else [_rounded(bound) for bound in interval]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
