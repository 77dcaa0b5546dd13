"""``spnrefine eval``: measure refinement where the truth is known."""

from pathlib import Path

import click

from spnrefine.cli import streams
from spnrefine.cli.options import model_options, option, path


@click.command(
    name="eval",
    epilog="""\b
Examples:
  spnrefine eval --images images/ --coarse coarse/ --truth truth/
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --peers --json
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --min-error-removed 0.5
""",
)
@option("--images", type=path(), required=True, metavar="DIR", help="The photographs.")
@option("--coarse", type=path(), required=True, metavar="DIR", help="The coarse masks, same stems.")
@option(
    "--truth", type=path(), required=True, metavar="DIR", help="The truths: gray, 0 background, 255 object, 128 void."
)
@option("--peers", is_flag=True, help="Also measure dense CRFs (extra 'peers').")
@option("--details", is_flag=True, help="Also print the IoU of every image.")
@option("--min-iou", type=float, metavar="IOU", help="Fail where the mean IoU is below this.")
@option("--min-error-removed", type=float, metavar="SHARE", help="Fail where less of the error is removed.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@model_options
def evaluate(
    images: Path,
    coarse: Path,
    truth: Path,
    peers: bool,
    details: bool,
    min_iou: float | None,
    min_error_removed: float | None,
    as_json: bool,
    model: str,
    device: str,
) -> int:
    """Refine coarse masks whose truth is known, and print how good the masks are before and after.

    error_removed is the share of the coarse masks' mean 1 - IoU that is gone; made_worse the share of masks that lost
    more than half a point of IoU. biou is Boundary IoU in 1 % of the diagonal, mba mean boundary accuracy.
    """
    import json
    import statistics

    from spnrefine import Refiner
    from spnrefine.errors import BackendError
    from spnrefine.evaluate import machine
    from spnrefine.evaluate import peers as other
    from spnrefine.evaluate.evaluation import COARSE, Refine, Result, find_cases
    from spnrefine.evaluate.evaluation import evaluate as run

    cases = find_cases(images, coarse, truth)
    methods: dict[str, Refine] = {f"spnrefine {model}": Refiner(model, device)}
    if peers:
        if not other.available():
            raise BackendError("--peers: pydensecrf2 is not installed; install the extra 'peers'.")
        methods |= other.available()
    results = {name: Result() for name in (COARSE, *methods)}
    each = []
    for case, outcome in streams.progress(run(cases, methods), len(cases)):
        for name, (scores, seconds) in outcome.items():
            results[name].scores.append(scores)
            results[name].seconds.append(seconds)
        each.append({"stem": case.stem} | {name: round(scores.iou, 4) for name, (scores, _) in outcome.items()})
    rows = {
        name: {key: round(value, 4) for key, value in result.summary(results[COARSE])._asdict().items()}
        | {"seconds": round(statistics.median(result.seconds), 4)}
        for name, result in results.items()
    }
    ours = rows[f"spnrefine {model}"]
    if as_json:
        facts = {"versions": machine.versions(), "machine": machine.describe(), "results": rows}
        click.echo(json.dumps(facts | ({"images": each} if details else {})))
    else:
        _print(rows, each if details else [])
    missed = [
        f"{name} is {ours[name]:.4f}, below the floor of {floor}."
        for name, floor in (("iou", min_iou), ("error_removed", min_error_removed))
        if floor is not None and ours[name] < floor
    ]
    for text in missed:
        streams.say(text)
    return 1 if missed else 0


def _print(rows: dict, each: list) -> None:
    from rich.table import Table

    console = streams.console()
    if each:
        table = Table(*each[0], box=None)
        for row in each:
            table.add_row(*map(str, row.values()))
        console.print(table)
    table = Table("", *next(iter(rows.values())), box=None)
    for name, row in rows.items():
        table.add_row(name, *map(str, row.values()))
    console.print(table)
