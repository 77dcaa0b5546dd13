"""``spnrefine eval-labels``: measure label maps where the truth is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli import streams
from spnrefine.cli.options import acting_options, option
from spnrefine.cli.sections import Command
from spnrefine.cli.types import FILE, FOLDER, Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from spnrefine import Refiner
    from spnrefine.evaluate.intervals import Interval
    from spnrefine.evaluate.labels import Confusion
    from spnrefine.files.classes import Classes
    from spnrefine.job.types import Settings


@click.command(
    name="eval-labels",
    cls=Command,
    epilog="""\b
Examples:
  spnrefine eval-labels --images images/ --truth labels/ --classes examples/helen.classes --model face
  spnrefine eval-labels --images images/ --truth labels/ --classes c.txt --model face --model one-way.safetensors
  spnrefine eval-labels --images images/ --truth labels/ --lower 8 --void 11
  spnrefine eval-labels --images images/ --truth labels/ --coarse of-my-network/ --classes c.txt
""",
)
@option("--images", type=FOLDER, required=True, help="The photographs.")
@option("--truth", type=FOLDER, required=True, help="Their true label maps, same stems.")
@option(
    "--coarse",
    type=FOLDER,
    help="Label maps of a network of your own to refine, same stems: ids, or planes of classes (NPY, NPZ, TIFF).",
)
@option(
    "--lower", type=click.IntRange(min=2), metavar="TIMES", help="Refine the truth at so many times lower resolution."
)
@option(
    "--model",
    "models",
    type=Model(),
    multiple=True,
    help="Models of label maps, the first one's base too; with --coarse or --lower the refiner, general by default.",
)
@option("--classes", type=FILE, help="Lines of 'name: id id ...', as for train; default each id one.")
@option("--void", type=click.IntRange(min=0), metavar="ID", help="Id of pixels that do not count.  [default: 255]")
@option("--max-items", type=click.IntRange(min=1), metavar="N", help="Measure at most N, evenly taken.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@acting_options
def evaluate_labels(
    images: Path,
    truth: Path,
    coarse: Path | None,
    lower: int | None,
    models: tuple[str, ...],
    classes: Path | None,
    void: int | None,
    max_items: int | None,
    device: str,
    threads: int | None,
    as_json: bool,
    **how: Any,
) -> None:
    """Measure label maps whose truth is known: F1 and IoU of classes over all pixels.

    With --coarse, those that a network of your own made, before and after refinement as by 'spnrefine batch' with the
    same options. With --lower, label maps of lower resolution, made from the truth, before and after; void stays
    untouched. With --model alone, those that models of label maps make of the photographs, before refinement ("base")
    and after, and what a dense CRF makes of the base where the extra 'peers' is installed; the pictures are taken to
    show what the model expects, faces are not searched for. Intervals are of 95 %, by bootstrap over the photographs.
    """
    _check_usage(models, coarse, lower, how)
    import json

    from spnrefine.cli.threads import share_threads

    threads = share_threads(threads)
    from spnrefine import Refiner
    from spnrefine.evaluate import machine
    from spnrefine.evaluate.labels import find_labelled, measure
    from spnrefine.evaluate.own_maps import OwnMaps
    from spnrefine.job.types import Settings

    settings = Settings.of(**how, void=void)
    known, photographs = find_labelled(images, truth, classes, void, max_items)
    if photographs.alone:
        few = streams.few(photographs.alone)
        streams.say(f"Left out: {len(photographs.alone)} names that are not in both folders ({few}).")
    if coarse is None and lower is None:
        found = measure(_shown(photographs), known, _made(models, known, device, threads, best=settings.best))
    else:
        name = models[0] if models else "general"
        refiner = Refiner(name, device, threads, **settings.of_refiner)
        if lower is not None:
            found = measure(_shown(photographs), known, _lowered(known, lower, refiner, settings))
        elif coarse is not None:
            own = OwnMaps(photographs.pairs, coarse, known, refiner, settings)
            found = measure(_shown(own), known, lambda maps, _: maps)
    facts: dict[str, Any] = machine.facts() if as_json else {}
    facts |= {
        "photographs": len(photographs),
        "f1": {name: confusion.f1() for name, confusion in found.items()},
        "iou": {name: confusion.iou() for name, confusion in found.items()},
        **_chance(found),
    }
    if as_json:
        streams.tell(json.dumps(facts, allow_nan=False))
    else:
        _show(facts)


def _check_usage(models: tuple[str, ...], coarse: Path | None, lower: int | None, how: dict[str, Any]) -> None:
    if coarse is not None and lower is not None:
        raise click.UsageError("--coarse and --lower were both given: give one.")
    if coarse is None and lower is None and not models:
        raise click.UsageError("None of --coarse, --lower and --model was given: give one.")
    if (coarse is not None or lower is not None) and len(models) > 1:
        raise click.UsageError(f"{len(models)} models were given to refine with: give one.")
    if coarse is None and lower is None:
        others = [name for name, value in how.items() if name != "best" and value not in (None, False, 0.5)]
        if others:
            named = others[0].replace("_", "-")
            raise click.UsageError(f"--{named} was given without maps to refine: give --coarse or --lower too.")


def _shown(photographs: "Any") -> "Any":
    return streams.progress(photographs, len(photographs))


def _chance(found: "dict[str, Confusion]") -> dict[str, Any]:
    """Return the intervals of all IoU, and how far the last maps' are above each other's."""
    from spnrefine.evaluate.label_intervals import iou_intervals

    *others, ours = found
    above = {}
    for name in others:
        old, new = found[name].iou(), found[ours].iou()
        drawn = iou_intervals(found[ours], found[name])
        above[name] = {
            each: {"difference": new[each] - old[each], "interval": _pair(drawn[each])}  # type: ignore[operator]
            for each in new
            if old.get(each) is not None and new[each] is not None
        }
    each_own = {name: {each: _pair(i) for each, i in iou_intervals(maps).items()} for name, maps in found.items()}
    return {"iou_intervals": each_own, "iou_above": {ours: above}}


def _pair(interval: "Interval") -> "list[float | None] | None":
    return None if interval.low is None else [*interval]


def _show(facts: dict[str, Any]) -> None:
    from rich.table import Table

    console = streams.console()
    for measured in ("f1", "iou"):
        rows = facts[measured]
        title = f"{measured.upper()} of {facts['photographs']} photographs"
        table = Table("", *rows, title=title, title_justify="left")
        for name in next(iter(rows.values())):
            streams.add_row(table, name, *(_figure(row.get(name)) for row in rows.values()))
        console.print(table)
    for ours, others in facts["iou_above"].items():
        for other, classes in others.items():
            mean = classes.get("mean")
            if mean is not None and mean["interval"] is not None:
                low, high = mean["interval"]
                bounds = f"{mean['difference']:+.4f} ({low:+.4f} to {high:+.4f})"
                console.print(f"mean IoU of {ours}, above {other}: {bounds}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _made(
    models: tuple[str, ...], known: "Classes", device: str, threads: int, *, best: bool
) -> "Callable[..., dict[str, NDArray]]":
    from importlib.util import find_spec

    from spnrefine.errors import SpnRefineError
    from spnrefine.evaluate.label_crf import dense_crf
    from spnrefine.refiner import Parser

    parsers = {model: Parser(model, device, threads, find=False, best=best) for model in models}
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


def _lowered(
    known: "Classes", times: int, refiner: "Refiner", settings: "Settings"
) -> "Callable[..., dict[str, NDArray]]":
    from spnrefine.evaluate.labels import lowered
    from spnrefine.evaluate.own_maps import refine_numbers
    from spnrefine.files.classes import VOID

    def methods(image: "NDArray", truth: "NDArray") -> "dict[str, NDArray]":
        coarse = lowered(truth, len(known.names), times)
        refined = refine_numbers(refiner, image, coarse, truth == VOID, settings)
        return {f"{times} times lower": coarse, "refined": refined}

    return methods
