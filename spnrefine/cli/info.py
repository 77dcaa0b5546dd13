"""``spnrefine info``: versions, backends, devices and weights."""

import click

from spnrefine.cli import streams
from spnrefine.cli.options import option
from spnrefine.cli.sections import Command

FIELDS = {
    "clothing": "clothes",
    "cracks": "cracks",
    "duts_tr": "objects",
    "face": "faces",
    "nuclei": "cells",
    "pennfudan": "people",
    "people": "people",
    "regions": "regions without a name",
    "street": "streets",
    "weizmann_horse": "horses",
    "wounds": "wounds",
}
"""What the sets of training data show."""


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine info
  spnrefine info --models
  spnrefine info --json | jq .weights
""",
)
@option("--models", is_flag=True, help="Only list the models that ship: what each is for, and on what terms.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(models: bool, as_json: bool) -> None:
    """Show versions, propagation backends, devices and weights."""
    import json

    facts = _facts()
    if as_json:
        streams.tell(json.dumps({"weights": facts["weights"]} if models else facts))
        return
    from rich.table import Table

    console = streams.console()
    if models:
        table = Table("name", "what it is", "fields", "parameters", "trained on", "terms", "card")
        for each in facts["weights"]:
            data = ", ".join(each["trained on"] or ()) or "unknown"
            size = f"{each['parameters'] / 1e6:.2f} M"
            streams.add_row(
                table,
                each["name"],
                each["purpose"],
                ", ".join(each["fields"]),
                size,
                data,
                each["terms"] or "unknown",
                each["card"],
            )
        console.print(table)
        return
    for title, key in (("Versions", "versions"), ("Machine", "machine")):
        table = Table("", title=title, title_justify="left", show_header=False, box=None)
        for name, value in facts[key].items():
            streams.add_row(table, name, ", ".join(value) if isinstance(value, list) else str(value))
        console.print(table)
        console.print()
    for weights in facts["weights"]:
        table = Table("", title=f"Weights: {weights['name']}", title_justify="left", show_header=False, box=None)
        for name, value in weights.items():
            streams.add_row(table, name, str(value))
        console.print(table)


def _facts() -> dict:
    from dataclasses import asdict

    from spnrefine import cache
    from spnrefine.evaluate import machine
    from spnrefine.model import weights

    shipped = []
    for name in weights.available():
        header = weights.describe(name)
        shipped.append(
            {"name": name, "purpose": weights.PURPOSES[header.architecture], "task": header.task}
            | {"parameters": header.parameters, **asdict(header.config)}
            | {"classes": list(header.classes)}
            | {"sha256": header.sha256, "path": str(header.path), "card": str(header.path.with_name("CARD.md"))}
            | {"fields": sorted({FIELDS[name] for name in header.provenance.get("data") or () if name in FIELDS})}
            | {"trained on": header.provenance.get("data"), "terms": header.provenance.get("terms")}
        )
    return {
        "versions": machine.versions(),
        "machine": machine.describe() | {"kernels kept in": str(cache.folder())},
        "weights": shipped,
    }
