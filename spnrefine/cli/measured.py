"""What ``spnrefine eval`` prints: the tables for people."""

from typing import TYPE_CHECKING, Any

from spnrefine.cli import streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

Facts = dict[str, Any]

MEANS = "iou", "biou", "mba"
FIGURES = *MEANS, "error_removed", "made_worse"


def show(facts: Facts) -> None:
    """Print the object that ``--json`` would, as tables: images, methods side by side, peers' settings, calibration."""
    console = streams.console()
    surfaces = tuple(name for name in facts["measures"] if name not in MEANS)
    columns = ("masks", *FIGURES, *surfaces, "seconds")
    images = facts.get("images", [])
    if images:
        means = MEANS + surfaces
        table = _table("image", "method", *means)
        for image in images:
            for name, scores in image["scores"].items():
                streams.add_row(table, image["stem"], name, *(_figure(scores[measure]) for measure in means))
        console.print(table)
    table = _table("", *columns)
    for name, row in facts["results"].items():
        streams.add_row(table, name, *(_figure(row[column]) for column in columns))
    console.print(table)
    show_chance(facts, "95 % of draws of images")
    _show_parts("size", facts["by_size"], columns)
    _show_parts("category", facts["by_category"], columns)
    for name, how in facts["measures"].items():
        console.print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in how.items()))
    for name, row in facts["results"].items():
        for text in _left_out(name, row):
            console.print(text)
    if facts["peers"]:
        table = _table("peer", "settings", "published in")
        for name, peer in facts["peers"].items():
            streams.add_row(table, name, *peer.values())
        console.print("", table)
    if facts.get("temperature") is not None:
        console.print(f"\nProbabilities of refined masks are at a temperature of {facts['temperature']:g}, by 'adapt'.")
    for name, places in facts.get("calibration", {}).items():
        for place, diagram in places.items():
            error = _figure(diagram["expected_calibration_error"])
            console.print(f"\n{name}, {place} ({diagram['of']}): expected calibration error {error}")
            table = _table("probability", "mean predicted", "observed share", "pixels")
            for row in diagram["bins"]:
                values = (_figure(row[key]) for key in ("predicted", "observed", "pixels"))
                streams.add_row(table, f"{row['from']:.1f} to {row['to']:.1f}", *values)
            console.print(table)


def show_chance(facts: Facts, title: str) -> None:
    """Print the intervals of figures, and how far the refiner is above each other method."""
    figures = list(next(iter(facts["intervals"].values())))
    table = _table(title, *figures)
    for name, row in facts["intervals"].items():
        streams.add_row(table, name, *(_interval(row[figure]) for figure in figures))
    for ours, others in facts["above"].items():
        for other, row in others.items():
            cells = (f"{_signed(row[name]['difference'])} ({_interval(row[name]['interval'])})" for name in figures)
            streams.add_row(table, f"{ours}, above {other}", *cells)
    streams.console().print("", table)


def _show_parts(what: str, parts: Facts, columns: tuple[str, ...]) -> None:
    """Print what was done to the objects of each size or category, where there is more than one."""
    if len(parts) < 2:
        return
    table = _table(what, "", *columns)
    for part, rows in parts.items():
        for name, row in rows.items():
            streams.add_row(table, part, name, *(_figure(row[column]) for column in columns))
    streams.console().print("", table)


def _left_out(name: str, row: Facts) -> "Iterator[str]":
    """Say what the means of a row do not rest on, and where they rest on nothing."""
    for measure, count in row["undefined"].items():
        if count:
            yield f"{name}: {measure} is not defined for {count} of {row['masks']} masks, which its mean leaves out."
    if row["both_empty"]:
        yield f"{name}: {row['both_empty']} of {row['masks']} masks are empty and ought to be; their iou is 1."
    if row["error_removed"] is None:
        yield f"{name}: error_removed is not defined, for the coarse masks had no error, and now there is some."


def _table(*columns: str) -> "Table":
    from rich.table import Table

    return Table(*columns, box=None)


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def _interval(bounds: list[float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:.4f} to {bounds[1]:.4f}"
