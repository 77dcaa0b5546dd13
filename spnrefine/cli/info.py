"""``spnrefine info``: versions, backends, devices and weights."""

from pathlib import Path
from typing import Any

import click

from spnrefine.cli import streams
from spnrefine.cli.options import option
from spnrefine.cli.sections import Command
from spnrefine.cli.types import Model

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
  spnrefine info mine.safetensors
  spnrefine info --json | jq .weights
""",
)
@click.argument("file", metavar="[FILE]", type=Model(), required=False)
@option("--models", is_flag=True, help="Only list the models that ship: what each is for, and on what terms.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(file: str | None, models: bool, as_json: bool) -> None:
    """Show versions, propagation backends, devices and weights; of FILE, weights of your own, what they are."""
    import json

    if file is not None and models:
        raise click.UsageError("FILE and --models were both given: give one.")
    facts: dict[str, Any] = {"weights": [_describe(file, whole=True)]} if file is not None else _facts()
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
    for title, key in (("Versions", "versions"), ("Machine", "machine")) if file is None else ():
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
    from spnrefine import cache
    from spnrefine.evaluate import machine
    from spnrefine.model import weights

    found = cache.contents()
    kept = {
        "kernels kept in": str(cache.folder()),
        "kernels kept": f"{found.files} files, {found.bytes / 1e6:.1f} MB",
        "of them for CUDA": [name.removeprefix("cuda.") for name in cache.names("cubin")],
    }
    return {
        "versions": machine.versions(),
        "machine": machine.describe() | kept,
        "weights": [
            each | {"card": str(Path(each["path"]).with_name("CARD.md"))}
            for each in map(_describe, weights.available())
        ],
    }


def _describe(name_or_path: str, *, whole: bool = False) -> dict[str, Any]:
    """Return what the header of a weights file says; the ``whole``, how it was trained and measured too."""
    from dataclasses import asdict

    from spnrefine.model import weights

    header = weights.describe(name_or_path)
    trained = {key: header.provenance[key] for key in ("start", "steps", "validation") if key in header.provenance}
    return (
        {"name": header.name, "purpose": weights.PURPOSES[header.architecture], "task": header.task}
        | {"parameters": header.parameters, **asdict(header.config)}
        | {"classes": list(header.classes), "sha256": header.sha256, "path": str(header.path)}
        | {"fields": sorted({FIELDS[name] for name in header.provenance.get("data") or () if name in FIELDS})}
        | {"trained on": header.provenance.get("data"), "terms": header.provenance.get("terms")}
        | ({"temperature": header.temperature} if header.temperature is not None else {})
        | (trained if whole else {})
    )
