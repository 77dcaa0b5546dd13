"""``spnrefine info``: versions, backends, devices and weights."""

import click

from spnrefine.cli import streams
from spnrefine.cli.options import option


@click.command(
    epilog="""\b
Examples:
  spnrefine info
  spnrefine info --json | jq .weights
"""
)
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(as_json: bool) -> None:
    """Show versions, propagation backends, devices and weights."""
    import json

    facts = _facts()
    if as_json:
        click.echo(json.dumps(facts))
        return
    from rich.table import Table

    console = streams.console()
    for title, key in (("Versions", "versions"), ("Machine", "machine")):
        table = Table("", title=title, title_justify="left", show_header=False, box=None)
        for name, value in facts[key].items():
            table.add_row(name, ", ".join(value) if isinstance(value, list) else str(value))
        console.print(table)
        console.print()
    for weights in facts["weights"]:
        table = Table("", title=f"Weights: {weights['name']}", title_justify="left", show_header=False, box=None)
        for name, value in weights.items():
            table.add_row(name, str(value), style=None)
        console.print(table)


def _facts() -> dict:
    from dataclasses import asdict

    from spnrefine.evaluate import machine
    from spnrefine.model import weights
    from spnrefine.ops import available_backends

    shipped = []
    for name in weights.available():
        header = weights.describe(name)
        shipped.append(
            {"name": name, "task": header.task, "parameters": header.parameters, **asdict(header.config)}
            | {"sha256": header.sha256, "path": str(header.path)}
            | {"trained on": header.provenance.get("data"), "terms": header.provenance.get("terms")}
        )
    return {
        "versions": machine.versions(),
        "machine": machine.describe() | {"backends": list(available_backends())},
        "weights": shipped,
    }
