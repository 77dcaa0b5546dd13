"""What was measured of label maps, as ``spnrefine eval-labels --json`` prints it, and as rows of a table."""

from collections.abc import Callable, Sequence
from typing import Any

from spnrefine.evaluate.confusion import Confusion
from spnrefine.evaluate.facts import as_table
from spnrefine.evaluate.intervals import Interval
from spnrefine.evaluate.label_intervals import MEAN, f1_intervals, iou_intervals

Found = dict[str, Confusion]
Intervals = Callable[[Confusion, Confusion | None], dict[str, Interval]]


def of(found: Found, ours: str) -> dict[str, Any]:
    """Return F1 and IoU of each method, their intervals, and how far those of ``ours`` are above each other's."""
    f1: dict[str, dict[str, float | None]] = {name: {**maps.f1()} for name, maps in found.items()}
    iou = {name: maps.iou() for name, maps in found.items()}
    return {
        "f1": f1,
        "iou": iou,
        **{f"f1_{name}": value for name, value in _chance(found, ours, f1, f1_intervals).items()},
        **{f"iou_{name}": value for name, value in _chance(found, ours, iou, iou_intervals).items()},
    }


def as_csv(found: Found, names: Sequence[str], void_pixels: Sequence[int]) -> bytes:
    """Return a row for each picture: the IoU of its classes by each method, empty where a class does not occur."""
    classes = next(iter(found.values())).classes.names
    head = ["stem", "void_pixels"]
    head += [f"{method} {column}" for method in found for column in ("mean iou", *(f"iou {name}" for name in classes))]
    rows: list[list[Any]] = []
    for at, name in enumerate(names):
        row: list[Any] = [name, void_pixels[at]]
        for maps in found.values():
            iou = maps.iou(at)
            row += [iou.get(column) for column in (MEAN, *classes)]
        rows.append(row)
    return as_table(head, rows)


def _chance(
    found: Found, ours: str, values: dict[str, dict[str, float | None]], intervals: Intervals
) -> dict[str, Any]:
    above = {}
    for other in found:
        if other != ours:
            drawn, old, new = intervals(found[ours], found[other]), values[other], values[ours]
            above[other] = {
                name: {"difference": mine - theirs, "interval": _pair(drawn[name])}
                for name, mine in new.items()
                if (theirs := old.get(name)) is not None and mine is not None
            }
    each_own = {
        name: {each: _pair(interval) for each, interval in intervals(maps, None).items()}
        for name, maps in found.items()
    }
    return {"intervals": each_own, "above": {ours: above}}


def _pair(interval: Interval) -> list[float | None] | None:
    return None if interval.low is None else [*interval]
