"""What of the quality of instances may be chance: intervals by bootstrap over pictures."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spnrefine.evaluate.instance_quality import FIGURES, Quality
from spnrefine.evaluate.intervals import CHUNK, DRAWS, Interval, Numbers, drawn, interval_of
from spnrefine.evaluate.panoptic_quality import drawn_pq
from spnrefine.evaluate.ranked import THRESHOLDS, Ranked, drawn_precision

LEAST_DRAWS = 200
WORK = 2_000_000_000  # instances, at a threshold and of a draw, that are summed up for a method: half a minute


class Chance(NamedTuple):
    """Of so many ``draws``: the intervals of each method's `FIGURES`, and those of its being below ``ours``."""

    draws: int
    intervals: dict[str, dict[str, Interval]]
    above: dict[str, dict[str, Interval]]


def chance(qualities: Mapping[str, Quality], ours: str) -> Chance:
    """Draw pictures, and return what figures and their differences from those of ``ours`` do."""
    pictures = len(qualities[ours].whole.ranked[0].true)
    draws = draws_within(max(_instances(each.whole.ranked) for each in qualities.values()))

    def figures(times: Numbers) -> dict[str, Numbers]:
        return {
            f"{name} {figure}": values
            for name, quality in qualities.items()
            for figure, values in _figures(times, quality).items()
        }

    found = drawn(pictures, figures, draws=draws)
    none = Interval(None, None)

    def interval(name: str, figure: str, less: str | None = None) -> Interval:
        of, other = f"{name} {figure}", f"{less} {figure}"
        if of not in found or (less is not None and other not in found):
            return none
        return interval_of(found[of] if less is None else found[of] - found[other])

    return Chance(
        draws,
        {name: {figure: interval(name, figure) for figure in FIGURES} for name in qualities},
        {name: {figure: interval(ours, figure, name) for figure in FIGURES} for name in qualities if name != ours},
    )


def draws_within(instances: int) -> int:
    """Return how many draws of so many instances there is time for: 2,000, or fewer where there are very many."""
    fitting = WORK // max(1, 2 * instances * len(THRESHOLDS)) // CHUNK * CHUNK
    return min(DRAWS, max(LEAST_DRAWS, fitting))


def _figures(times: Numbers, quality: Quality) -> dict[str, Numbers]:
    found = drawn_precision(times, quality.whole.ranked)
    found["boundary_ap"] = drawn_precision(times, quality.banded.ranked)["ap"]
    return found if quality.counted is None else found | {"pq": drawn_pq(times, quality.counted)}


def _instances(ranked: Sequence[Ranked]) -> int:
    return sum(one.right.shape[1] for one in ranked)
