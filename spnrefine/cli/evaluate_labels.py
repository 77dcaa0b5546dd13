"""``spnrefine eval-labels``: measure label maps where the truth is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli import streams
from spnrefine.cli.options import BEST, MAX_MEGAPIXELS, NETWORK, device_option, option, section
from spnrefine.cli.sections import Command
from spnrefine.cli.types import FILE, FOLDER, Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spnrefine.files.classes import Classes


@click.command(
    name="eval-labels",
    cls=Command,
    epilog="""\b
Examples:
  spnrefine eval-labels --images images/ --truth labels/ --classes examples/helen.classes --model face
  spnrefine eval-labels --images images/ --truth labels/ --classes c.txt --model face --model one-way.safetensors
  spnrefine eval-labels --images images/ --truth labels/ --lower 8 --void 11
""",
)
@option("--images", type=FOLDER, required=True, help="The photographs.")
@option("--truth", type=FOLDER, required=True, help="Their true label maps, same stems.")
@option("--classes", type=FILE, help="Lines of 'name: id id ...', as for train; default each id one.")
@option("--void", type=click.IntRange(min=0), metavar="ID", help="Id of pixels that do not count.  [default: 255]")
@option("--model", "models", type=Model(), multiple=True, help="Models of label maps, the first one's base too.")
@option(
    "--lower", type=click.IntRange(min=2), metavar="TIMES", help="Refine the truth at so many times lower resolution."
)
@option("--max-items", type=click.IntRange(min=1), metavar="N", help="Measure at most N, evenly taken.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@section(NETWORK, BEST, device_option("Where the networks run."), MAX_MEGAPIXELS)
def evaluate_labels(
    images: Path,
    truth: Path,
    classes: Path | None,
    void: int | None,
    models: tuple[str, ...],
    lower: int | None,
    max_items: int | None,
    device: str,
    best: bool,
    as_json: bool,
) -> None:
    """Measure label maps whose truth is known: F1 and IoU of classes over all pixels.

    With --model, those that models of label maps make of the photographs alone, before refinement ("base") and after,
    and what a dense CRF makes of the base where the extra 'peers' is installed; the pictures are taken to show what
    the model expects, faces are not searched for. With --lower, label maps of lower resolution, made from the truth,
    before and after joint refinement by the general refiner; void stays untouched.
    """
    if bool(models) == (lower is not None):
        raise click.UsageError("Exactly one of --model and --lower is needed: give one.")
    import json

    from spnrefine.evaluate import machine
    from spnrefine.evaluate.labels import find_labelled, measure

    known, photographs = find_labelled(images, truth, classes, void, max_items)
    methods = _lowered(known, lower, device, best) if lower else _made(models, known, device, best)
    found = measure(streams.progress(photographs, len(photographs)), known, methods)
    facts: dict[str, Any] = machine.facts() if as_json else {}
    facts |= {
        "photographs": len(photographs),
        "f1": {name: confusion.f1() for name, confusion in found.items()},
        "iou": {name: confusion.iou() for name, confusion in found.items()},
    }
    if as_json:
        streams.tell(json.dumps(facts))
        return
    from rich.table import Table

    for measured in ("f1", "iou"):
        rows = facts[measured]
        table = Table("", *rows, title=f"{measured.upper()} of {len(photographs)} photographs", title_justify="left")
        for name in next(iter(rows.values())):
            streams.add_row(table, name, *(f"{row[name]:.4f}" if name in row else "" for row in rows.values()))
        streams.console().print(table)


def _made(models: tuple[str, ...], known: "Classes", device: str, best: bool) -> "Callable[..., dict[str, NDArray]]":
    from importlib.util import find_spec

    from spnrefine.errors import SpnRefineError
    from spnrefine.evaluate.label_crf import dense_crf
    from spnrefine.refiner import Parser

    parsers = {model: Parser(model, device, find=False, best=best) for model in models}
    for name, parser in parsers.items():
        if parser.classes != known.names:
            raise SpnRefineError(
                f"{name} knows {', '.join(parser.classes)}, while the truth holds {', '.join(known.names)}: "
                "name the truth's classes with --classes as in training."
            )

    def methods(image: "NDArray", truth: "NDArray") -> "dict[str, NDArray]":
        maps: dict[str, NDArray] = {}
        for name, parser in parsers.items():
            _, coarse, refined = parser.planes(image)[0]
            if not maps:
                maps["base"] = coarse.argmax(0)
                if find_spec("pydensecrf") is not None:
                    maps["dense CRF"] = dense_crf(image, coarse).argmax(0)
            maps[name] = refined.argmax(0)
        return maps

    return methods


def _lowered(known: "Classes", times: int, device: str, best: bool) -> "Callable[..., dict[str, NDArray]]":
    from spnrefine import Refiner
    from spnrefine.evaluate.labels import lowered
    from spnrefine.files.classes import VOID
    from spnrefine.refiner.joint import refine_labels

    refiner = Refiner(device=device, best=best)

    def methods(image: "NDArray", truth: "NDArray") -> "dict[str, NDArray]":
        coarse = lowered(truth, len(known.names), times)
        # ids from 1 on: none of these classes is a background that the others leave free
        refined, _ = refine_labels(refiner, image, coarse + 1, truth == VOID)
        return {f"{times} times lower": coarse, "refined": refined - 1}

    return methods
