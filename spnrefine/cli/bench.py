"""``spnrefine bench``: how fast it is here."""

import click

from spnrefine.cli import streams
from spnrefine.cli.options import DEVICE, model_option, option
from spnrefine.cli.sections import Command


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine bench
  spnrefine bench --only propagation --device cuda
  spnrefine bench --json > bench.json
""",
)
@option(
    "--only",
    type=click.Choice(["propagation", "refine", "large", "peers", "cold", "batch"]),
    multiple=True,
    help="Run this part only; may be given again.",
)
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@model_option("The refiner.")
@DEVICE
def bench(only: tuple[str, ...], as_json: bool, model: str, device: str) -> None:
    """Time the propagation, refinements, whole commands and other refiners.

    Figures are medians. 'share' is what the propagation needs at least to move, as a share of the bandwidth of copying
    a large array on the same device. 'seam' is the largest jump of the mask along a straight line of a
    24-megapixel photograph, beyond what is usual beside it.
    """
    import json

    from spnrefine.evaluate import bench, commands, large, machine
    from spnrefine.model.inference import resolve_device

    place = resolve_device(device)
    facts: dict[str, dict] = machine.facts()
    facts["machine"] |= {"device": place, "model": model}
    parts = {
        "propagation": lambda: bench.propagation(place),
        "refine": lambda: bench.end_to_end(model, place),
        "large": lambda: large.large(model, place),
        "peers": lambda: bench.against_peers(model, place),
        "cold": lambda: commands.cold(model, device),
        "batch": lambda: commands.batch(model, device),
    }
    chosen = {name: rows for name, rows in parts.items() if name in (only or parts)}
    if as_json:
        streams.tell(json.dumps(facts | {name: list(rows()) for name, rows in chosen.items()}))
        return
    console = streams.console()
    for values in facts.values():
        console.print(", ".join(f"{name} {value}" for name, value in values.items()))
    for name, rows in chosen.items():
        console.print(f"\n{name}", style="bold")
        for row in rows():
            console.print("  ".join(f"{key} {_figure(value)}" for key, value in row.items()))


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
