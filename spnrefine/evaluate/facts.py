"""What was measured, as the object that ``spnrefine eval --json`` prints, and as rows of a table."""

import csv
import io
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from spnrefine.errors import printable
from spnrefine.evaluate.calibration import Reliability
from spnrefine.evaluate.evaluation import COARSE, Measured, Result
from spnrefine.evaluate.intervals import Interval, differences, intervals
from spnrefine.evaluate.metrics import Scores
from spnrefine.evaluate.summary import summarise
from spnrefine.evaluate.thresholds import THRESHOLDS, mean_errors

DIGITS = 6
SIZES = (("small", 0, 32**2), ("medium", 32**2, 96**2), ("large", 96**2, None))
"""Objects by their pixels, from and below, as COCO calls them; those without a pixel are none."""

Results = Mapping[str, Result]
Value = TypeVar("Value")


def rows(results: Results) -> dict[str, dict[str, Any]]:
    """Return by method what it did to all masks."""
    return {name: _row(result.scores, results[COARSE].scores, result.seconds) for name, result in results.items()}


def by_size(results: Results, measured: Sequence[Measured]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by size of the object, and by method, the same for the pictures of that size."""
    found = {}
    for size, least, most in SIZES:
        here = [
            index
            for index, each in enumerate(measured)
            if each.object_pixels >= max(1, least) and (most is None or each.object_pixels < most)
        ]
        if here:
            found[size] = _rows_of(results, here)
    return found


def by_category(results: Results, measured: Sequence[Measured]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by category of the object, and by method, the same for the objects of that; empty where none is known."""
    places: dict[str, list[int]] = {}
    for index, each in enumerate(measured):
        if each.category is not None:
            places.setdefault(each.category, []).append(index)
    return {category: _rows_of(results, places[category]) for category in sorted(places)}


def _rows_of(results: Results, here: Sequence[int]) -> dict[str, dict[str, Any]]:
    coarse = _some(results[COARSE].scores, here)
    return {
        name: _row(_some(result.scores, here), coarse, _some(result.seconds, here)) for name, result in results.items()
    }


def chance(results: Results, ours: str, measured: Sequence[Measured]) -> dict[str, Any]:
    """Return the intervals of every method's figures, and by how much ``ours`` is above each other method."""
    coarse, pictures = results[COARSE].scores, [each.picture for each in measured]
    above = {
        other: {
            name: {"difference": _rounded(value), "interval": _pair(interval)}
            for name, (value, interval) in differences(coarse, results[ours].scores, result.scores, pictures).items()
        }
        for other, result in results.items()
        if other != ours
    }
    return {
        "intervals": {
            name: {figure: _pair(interval) for figure, interval in intervals(coarse, result.scores, pictures).items()}
            for name, result in results.items()
        },
        "above": {ours: above},
    }


def calibration(result: Result) -> dict[str, dict[str, Any]]:
    """Return how far the probabilities of a method can be believed: of what, on which pixels, and the diagram."""
    return {
        "band": _diagram("object, within 2 % of the diagonal of the coarse contour", result.band),
        "everywhere": _diagram("object, all pixels", result.everywhere),
        "winner": _diagram("object or background, whichever is more probable, all pixels", result.winner),
    }


def of_pictures(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """Return the scores of every picture by method."""
    return [
        {
            "stem": each.name,
            "category": each.category,
            "object_pixels": each.object_pixels,
            "void_pixels": each.void_pixels,
            "scores": {name: _scores(outcome.scores) for name, outcome in each.outcomes.items()},
        }
        for each in measured
    ]


def as_csv(measured: Sequence[Measured]) -> bytes:
    """Return a row for each picture; what is not defined is empty."""
    names, measures = list(measured[0].outcomes), measured[0].outcomes[COARSE].scores.names
    head = ["stem", "category", "object_pixels", "void_pixels"]
    rows = []
    for each in measured:
        cells: list[Any] = [each.name, each.category, each.object_pixels, each.void_pixels]
        for outcome in each.outcomes.values():
            cells += [outcome.scores.value(measure) for measure in measures]
            cells.append(round(outcome.seconds, 4))
        rows.append(cells)
    return as_table(head + [f"{name} {column}" for name in names for column in (*measures, "seconds")], rows)


def as_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a CSV table; numbers have six digits after the point at most, names are printable, and None is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(head)
    for row in rows:
        table.writerow([_cell(value) for value in row])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    return "" if value is None else printable(value) if isinstance(value, str) else value


def by_threshold(results: Results) -> dict[str, Any]:
    """Return each method's mean 1 - IoU of its probabilities above each threshold."""
    errors = {name: mean_errors(result.by_threshold) for name, result in results.items()}
    return {
        "thresholds": THRESHOLDS.tolist(),
        "errors": {
            name: None if row is None else [round(float(error), DIGITS) for error in row]
            for name, row in errors.items()
        },
    }


def _scores(scores: Scores) -> dict[str, Any]:
    return _all_rounded({name: scores.value(name) for name in scores.names}) | {"both_empty": scores.both_empty}


def _some(values: Sequence[Value], indices: Sequence[int]) -> list[Value]:
    return [values[index] for index in indices]


def _row(scores: Sequence[Scores], coarse: Sequence[Scores], seconds: Sequence[float]) -> dict[str, Any]:
    summary = summarise(coarse, scores)._asdict()
    return _all_rounded(summary | summary.pop("surface")) | {"seconds": round(statistics.median(seconds), 4)}


def _diagram(of: str, diagram: Reliability) -> dict[str, Any]:
    return {
        "of": of,
        "expected_calibration_error": _rounded(diagram.expected_calibration_error),
        "bins": [_all_rounded(row) for row in diagram.rows()],
    }


def _all_rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _rounded(value) if isinstance(value, float) else value for key, value in row.items()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _pair(interval: Interval) -> list[float | None] | None:
    return None if interval.low is None else [_rounded(bound) for bound in interval]
