"""``spnrefine bench``: how fast it is here."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from spnrefine.cli import streams
from spnrefine.cli.options import DEVICE, model_option, option
from spnrefine.cli.paths import TEXT_OF_PATH
from spnrefine.cli.sections import Command

Parts = dict[str, Callable[[], Iterable[dict[str, Any]]]]
"""What is timed, by name: each gives its rows."""


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine bench
  spnrefine bench --only propagation --device cuda
  spnrefine bench --scaling --plot curves.png
  spnrefine bench --json > bench.json
""",
)
@option(
    "--only",
    type=click.Choice(["kernels", "propagation", "refine", "large", "peers", "cold", "batch"]),
    multiple=True,
    help="Run this part only; may be given again. 'kernels', how long compiling takes, is of CUDA alone.",
)
@option(
    "--scaling",
    is_flag=True,
    help="Run commands on larger and larger photographs and on more and more objects instead, for half an hour or so.",
)
@option("--plot", type=TEXT_OF_PATH, metavar="FILE", help="With --scaling: draw it, as a PNG. One that exists is kept.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@model_option("The refiner.")
@DEVICE
def bench(only: tuple[str, ...], scaling: bool, plot: str | None, as_json: bool, model: str, device: str) -> None:
    """Time the propagation, refinements, whole commands and other refiners.

    Figures are medians. 'share' is what the propagation needs at least to move, as a share of the bandwidth of copying
    a large array on the same device. 'seam' is the largest jump of the mask along a straight line of a
    24-megapixel photograph, beyond what is usual beside it.
    """
    import json

    from spnrefine.evaluate import machine
    from spnrefine.model.inference import resolve_device

    if plot and not scaling:
        raise click.UsageError("--plot draws what --scaling measures: give that too.")
    if scaling and only:
        raise click.UsageError("--only names other parts than --scaling runs: give one of them.")
    if plot:
        _check_plot(plot)
    place = resolve_device(device)
    facts: dict[str, dict] = machine.facts()
    facts["machine"] |= {"device": place, "model": model}
    if "kernels" in only and place == "cpu":
        raise click.UsageError("--only kernels times what is compiled for a GPU: give --device cuda too.")
    chosen = _scaling(model, device, plot) if scaling else _parts(only, model, device, place)
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


def _parts(only: tuple[str, ...], model: str, device: str, place: str) -> "Parts":
    """Name the parts that were asked for, or all, and how each is run."""
    from spnrefine.evaluate import bench, commands, large

    parts: Parts = {
        "kernels": lambda: bench.kernels(place),
        "propagation": lambda: bench.propagation(place),
        "refine": lambda: bench.end_to_end(model, place),
        "large": lambda: large.large(model, place),
        "peers": lambda: bench.against_peers(model, place),
        "cold": lambda: commands.cold(model, device),
        "batch": lambda: commands.batch(model, device),
    }
    if place == "cpu":
        del parts["kernels"]
    return {name: rows for name, rows in parts.items() if name in (only or parts)}


def _scaling(model: str, device: str, plot: str | None) -> "Parts":
    from spnrefine.evaluate.scaling import scaling

    def rows() -> Iterator[dict[str, Any]]:
        found = []
        for row in scaling(model, device):
            found.append(row)
            yield row
        if plot:
            _draw(found, Path(plot))

    return {"scaling": rows}


def _check_plot(plot: str) -> None:
    from spnrefine.files import atomic

    if Path(plot).suffix.lower() != ".png":
        raise click.UsageError(f"--plot {plot} is no PNG: end it in .png.")
    atomic.check_output(Path(plot))


def _draw(rows: list[dict[str, Any]], plot: Path) -> None:
    import cv2

    from spnrefine.evaluate.curves import draw_curves
    from spnrefine.files import atomic

    data = cv2.imencode(".png", draw_curves(rows), [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()
    atomic.write_bytes(plot, data)


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
