"""What ``spnrefine eval`` prints: the tables for people."""

from typing import TYPE_CHECKING, Any

from spnrefine.cli import streams

if TYPE_CHECKING:
    from rich.table import Table

Facts = dict[str, Any]


def show(facts: Facts) -> None:
    """Print the object that ``--json`` would, as tables: images, methods side by side, peers' settings, calibration."""
    console = streams.console()
    images = facts.get("images", [])
    if images:
        table = _table("image", "method", *next(iter(images[0]["scores"].values())))
        for image in images:
            for name, scores in image["scores"].items():
                streams.add_row(table, image["stem"], name, *map(_figure, scores.values()))
        console.print(table)
    table = _table("", *next(iter(facts["results"].values())))
    for name, row in facts["results"].items():
        streams.add_row(table, name, *map(_figure, row.values()))
    console.print(table)
    if facts["peers"]:
        table = _table("peer", "settings", "published in")
        for name, peer in facts["peers"].items():
            streams.add_row(table, name, *peer.values())
        console.print("", table)
    for name, places in facts.get("calibration", {}).items():
        for place, diagram in places.items():
            error = diagram["expected_calibration_error"]
            console.print(f"\n{name}, {place}: expected calibration error {error:.4f}")
            table = _table("probability", "mean predicted", "observed share", "pixels")
            for row in diagram["bins"]:
                values = (_figure(row[key]) for key in ("predicted", "observed", "pixels"))
                streams.add_row(table, f"{row['from']:.1f} to {row['to']:.1f}", *values)
            console.print(table)


def _table(*columns: str) -> "Table":
    from rich.table import Table

    return Table(*columns, box=None)


def _figure(value: float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
