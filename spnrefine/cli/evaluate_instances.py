"""``spnrefine eval-instances``: measure instances where the truth is known."""

from pathlib import Path
from typing import Any

import click

from spnrefine.cli import gate, measured, streams
from spnrefine.cli.options import OVERWRITE, changing_options, model_option, option, section
from spnrefine.cli.paths import EITHER, FILE, FOLDER
from spnrefine.cli.sections import Command
from spnrefine.cli.types import Number

SHARE = click.FloatRange(0, 1)


@click.command(
    name="eval-instances",
    cls=Command,
    epilog="""\b
Examples:
  spnrefine eval-instances --images images/ --coarse results.json --truth annotations.json
  spnrefine eval-instances --images images/ --coarse of-my-network/ --truth maps/ --min-pq 0.6
  spnrefine eval-instances --images images/ --coarse results.json --truth annotations.json --against theirs.json --json
""",
)
@option("--images", type=FOLDER, required=True, help="The photographs.")
@option(
    "--coarse", type=EITHER, required=True, help="What a network found: annotations, COCO's results, or maps of ids."
)
@option("--truth", type=EITHER, required=True, help="The true instances: annotations, or maps of ids.")
@option("--truth-void", type=click.IntRange(min=0), metavar="ID", help="Value of void in true maps.  [default: 255]")
@option("--against", type=EITHER, multiple=True, help="Also measure what others found; may be given several times.")
@option(
    "--boundary-share",
    type=Number(0, 1),
    default=0.02,
    show_default=True,
    metavar="SHARE",
    help="Width of boundary AP's bands, as a share of the diagonal.",
)
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@option("--csv", "csv_file", type=FILE, help="Also write a row for each photograph: counts, matches, AP and PQ.")
@option("--report", type=FILE, help="Also write an HTML page of the worst photographs, each beside its truth.")
@OVERWRITE
@model_option("The refiner.")
@section(
    "When it fails",
    option("--min-ap", type=SHARE, metavar="AP", help="Fail where the refined masks' AP is below this."),
    option("--min-boundary-ap", type=SHARE, metavar="AP", help="Fail where their boundary AP is below this."),
    option("--min-pq", type=SHARE, metavar="PQ", help="Fail where their panoptic quality is below this."),
)
@changing_options
def evaluate_instances(
    images: Path,
    coarse: Path,
    truth: Path,
    truth_void: int | None,
    against: tuple[Path, ...],
    boundary_share: float,
    as_json: bool,
    csv_file: Path | None,
    report: Path | None,
    overwrite: bool,
    model: str,
    device: str,
    threads: int | None,
    min_ap: float | None,
    min_boundary_ap: float | None,
    min_pq: float | None,
    **how: Any,
) -> int:
    """Measure instances whose truth is known, before and after refinement: average precision and panoptic quality.

    No names bring instances together, as for 'spnrefine eval', but how far they overlap. AP is COCO's (Lin et al.
    2014), by COCO's own code (extra 'coco'), boundary AP that of Cheng et al. 2021; where what was found has no scores,
    all are 1, and AP goes by their order. PQ is panoptic quality (Kirillov et al. 2019) of instances that do not
    overlap. Both are means over categories, or where one side has none, of all instances as one category. Intervals are
    of 95 %, by bootstrap over the photographs: 2,000 draws, or fewer of very many instances, whose number is printed.
    """
    import json

    from spnrefine.cli.threads import share_threads

    threads = share_threads(threads)
    from spnrefine import Refiner
    from spnrefine.batch.task import Tools
    from spnrefine.cli.evaluated import Written
    from spnrefine.evaluate import instance_facts, machine
    from spnrefine.evaluate.instance_quality import measure
    from spnrefine.evaluate.instances import REFINED, find_instances
    from spnrefine.job.types import Settings

    written = Written(csv_file, report, None, overwrite, (images, coarse, truth, *against))
    written.check()
    others = {f"against {path}": path for path in against}
    cases = find_instances(images, coarse, truth, others)
    if cases.problems:
        streams.say(f"Left out: {len(cases.problems)} objects that cannot be read ({cases.problems[0]}).")
    for text in cases.unmatched:
        streams.say(text)
    settings = Settings.of(**how)
    refiner = Refiner(model, device, threads, **settings.of_refiner)
    pictures = list(streams.progress(cases.read(Tools(refiner, settings), truth_void), len(cases)))
    printed: dict[str, Any] = machine.facts() if as_json else {}
    qualities = measure(pictures, boundary_share)
    printed |= instance_facts.of(pictures, qualities, boundary_share)
    written.write_instances(pictures, qualities, {"output": f"{truth}", "model": model}, settings.bands)
    if as_json:
        streams.tell(json.dumps(printed, allow_nan=False))
    else:
        _show(printed)
    floors = {"ap": min_ap, "boundary_ap": min_boundary_ap, "pq": min_pq}
    missed = gate.missed(printed["results"][REFINED], floors, {})
    for text in missed:
        streams.say(text)
    return 1 if missed else 0


def _show(facts: dict[str, Any]) -> None:
    from rich.table import Table

    console = streams.console()
    columns = [name for name in next(iter(facts["results"].values())) if name not in ("by_size", "by_category")]
    table = Table("", *columns, box=None)
    for name, row in facts["results"].items():
        streams.add_row(table, name, *(_cell(row[column]) for column in columns))
    console.print(table)
    measured.show_chance(facts, f"95 % of {facts['draws']:,} draws of images")
    for part in ("by_size", "by_category"):
        rows = {name: row[part] for name, row in facts["results"].items()}
        parts = next(iter(rows.values()))
        if len(parts) > 1:
            measures = list(next(iter(parts.values())))
            table = Table(part.removeprefix("by_"), "", *measures, box=None)
            for each in parts:
                for name, row in rows.items():
                    streams.add_row(table, each, name, *(_cell(row[each][measure]) for measure in measures))
            console.print("", table)
    for note in facts["notes"]:
        console.print(note)


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)
