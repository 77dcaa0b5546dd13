"""``spnrefine eval-labels``: measure label maps where the truth is known."""

from pathlib import Path
from typing import Any

import click

from spnrefine.cli import gate, streams
from spnrefine.cli.options import OVERWRITE, acting_options, option
from spnrefine.cli.paths import FILE, FOLDER
from spnrefine.cli.sections import Command
from spnrefine.cli.types import Model


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
@option(
    "--against",
    type=FOLDER,
    multiple=True,
    help="Also measure label maps that another method, model or setting made, same stems; may be given several times.",
)
@option("--csv", "csv_file", type=FILE, help="Also write the IoU of each photograph's classes, a row for each.")
@option("--report", type=FILE, help="Also write an HTML page of the worst photographs, each beside its truth.")
@OVERWRITE
@option("--min-iou", type=click.FloatRange(0, 1), metavar="IOU", help="Fail where the mean IoU is below this.")
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
    against: tuple[Path, ...],
    csv_file: Path | None,
    report: Path | None,
    overwrite: bool,
    min_iou: float | None,
    **how: Any,
) -> int:
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
    from functools import partial

    from spnrefine import Refiner
    from spnrefine.cli.evaluated import Written
    from spnrefine.evaluate import label_facts, label_methods, machine
    from spnrefine.evaluate.confusion import measure
    from spnrefine.evaluate.labels import find_labelled
    from spnrefine.evaluate.own_maps import MapFolder
    from spnrefine.evaluate.worst_labels import Seen
    from spnrefine.files.stems import name_below
    from spnrefine.job.types import Settings

    read = [path for path in (images, truth, coarse, classes, *against) if path is not None]
    written = Written(csv_file, report, None, overwrite, read)
    written.check()
    settings = Settings.of(**how, void=void)
    known, photographs = find_labelled(images, truth, classes, void, max_items, settings.bands)
    if photographs.alone:
        few = streams.few(photographs.alone)
        streams.say(f"Left out: {len(photographs.alone)} names that are not in both folders ({few}).")
    names = [name_below(path, images) for path, _ in photographs.pairs]
    others = {f"against {each}": MapFolder.of(each, images, names, known, settings) for each in against}
    if coarse is None and lower is None:
        methods, ours = label_methods.made(models, known, device, threads, best=settings.best), models[-1]
    else:
        refiner, ours = Refiner(models[0] if models else "general", device, threads, **settings.of_refiner), "refined"
        if lower is not None:
            methods = label_methods.refined_lower(known, lower, refiner, settings)
        elif coarse is not None:
            methods = partial(MapFolder.of(coarse, images, names, known, settings).refined, refiner=refiner)
    seen = Seen(ours, watched=report is not None)
    shown = streams.progress(photographs, len(photographs))
    found = measure(shown, known, label_methods.with_others(methods, others), seen)
    facts: dict[str, Any] = machine.facts() if as_json else {}
    facts |= {"photographs": len(photographs), **label_facts.of(found, ours)}
    written.write_labels(found, seen, {"output": f"{truth}", "model": ", ".join(models) or "general"})
    if as_json:
        streams.tell(json.dumps(facts, allow_nan=False))
    else:
        _show(facts)
    missed = gate.missed({"iou": facts["iou"][ours]["mean"]}, {"iou": min_iou}, {})
    for text in missed:
        streams.say(f"mean {text}")
    return 1 if missed else 0


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
    for name, classes in facts["iou_intervals"].items():
        if classes.get("mean") is not None:
            low, high = classes["mean"]
            console.print(f"mean IoU of {name}, 95 % of draws of images: {low:.4f} to {high:.4f}")
    for ours, others in facts["iou_above"].items():
        for other, classes in others.items():
            mean = classes.get("mean")
            if mean is not None and mean["interval"] is not None:
                low, high = mean["interval"]
                bounds = f"{mean['difference']:+.4f} ({low:+.4f} to {high:+.4f})"
                console.print(f"mean IoU of {ours}, above {other}: {bounds}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
