"""``spnrefine eval``: measure refinement where the truth is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli import streams
from spnrefine.cli.options import (
    BEST,
    CAREFUL,
    DEVICE,
    MAX_MEGAPIXELS,
    NETWORK,
    OFF,
    STRENGTH,
    model_option,
    option,
    section,
)
from spnrefine.cli.sections import Command
from spnrefine.cli.types import FOLDER

if TYPE_CHECKING:
    from spnrefine.evaluate.evaluation import Result

SHARE = click.FloatRange(0, 1)
MOST_NAMED = 3


@click.command(
    name="eval",
    cls=Command,
    epilog="""\b
Examples:
  spnrefine eval --images images/ --coarse coarse/ --truth truth/
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --peers all
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --peers grabcut,graph-cut --json
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --min-error-removed 0.5 --max-made-worse 0.01
""",
)
@option("--images", type=FOLDER, required=True, help="The photographs.")
@option("--coarse", type=FOLDER, required=True, help="The coarse masks, same stems.")
@option("--truth", type=FOLDER, required=True, help="The truths: masks, same stems; in gray ones 128 is void.")
@option("--labels/--no-labels", default=None, help="Take gray coarse masks for ids, or for probabilities.")
@option("--strict", is_flag=True, help="Fail where a truth has no photograph or no coarse mask.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@model_option("The refiner.")
@section(
    "What else is measured",
    option(
        "--peers",
        metavar="all|NAMES",
        help="Also measure other refiners: all that are installed, or these, with commas between. Dense CRFs and graph "
        "cut need the extra 'peers'.",
    ),
    option("--calibration", is_flag=True, help="Also say how far soft masks, coarse and refined, can be believed."),
    option("--details", is_flag=True, help="Also print the scores of every image."),
)
@section(
    "When it fails",
    option("--min-iou", type=SHARE, metavar="IOU", help="Fail where the mean IoU is below this."),
    option("--min-biou", type=SHARE, metavar="IOU", help="Fail where the mean Boundary IoU is below this."),
    option("--min-mba", type=SHARE, metavar="SHARE", help="Fail where the mean boundary accuracy is below this."),
    option("--min-error-removed", type=float, metavar="SHARE", help="Fail where less of the error is removed."),
    option("--max-made-worse", type=SHARE, metavar="SHARE", help="Fail where more of the masks are made worse."),
)
@section("How much may change", STRENGTH, OFF, CAREFUL)
@section(NETWORK, BEST, DEVICE, MAX_MEGAPIXELS)
def evaluate(
    images: Path,
    coarse: Path,
    truth: Path,
    peers: str | None,
    calibration: bool,
    details: bool,
    min_iou: float | None,
    min_biou: float | None,
    min_mba: float | None,
    min_error_removed: float | None,
    max_made_worse: float | None,
    labels: bool | None,
    strict: bool,
    as_json: bool,
    model: str,
    device: str,
    **how: Any,
) -> int:
    """Refine coarse masks whose truth is known, and print how good the masks are before and after.

    error_removed is the share of the coarse masks' mean 1 - IoU that is gone; made_worse the share of masks that lost
    more than half a point of IoU. biou is Boundary IoU in 1 % of the diagonal, mba mean boundary accuracy, seconds the
    median an image.

    Peers: grabcut, joint-bilateral, guided-filter, domain-transform, graph-cut, dense-crf-example, dense-crf-deeplab,
    dense-crf-saliency, and guided-filter-demo and domain-transform-demo for OpenCV's own settings of those two. Each
    runs with published parameters, which are printed.

    --calibration prints a reliability diagram, in the band within 2 % of the diagonal around the coarse contour and
    over all pixels, and the expected calibration error.
    """
    import json

    from spnrefine import Refiner
    from spnrefine.cli import measured
    from spnrefine.evaluate import machine
    from spnrefine.evaluate import peers as others
    from spnrefine.evaluate.evaluation import COARSE, Result, find_cases
    from spnrefine.evaluate.evaluation import evaluate as run
    from spnrefine.model.protocols import RefinesMasks

    chosen = others.choose(peers) if peers else {}
    if peers == others.ALL:
        for name, peer in others.PEERS.items():
            if name not in chosen:
                streams.say(f"{name} is left out: {peer.package} is not installed (extra 'peers').")
    cases, alone = find_cases(images, coarse, truth, strict=strict)
    if alone:
        few = ", ".join(alone[:MOST_NAMED]) + (" ..." if len(alone) > MOST_NAMED else "")
        streams.say(f"Left out: {len(alone)} names that are not in all three folders ({few}); measured: {len(cases)}.")
    ours = f"spnrefine {model}"
    methods: dict[str, RefinesMasks] = {ours: Refiner(model, device, **how), **chosen}
    results = {name: Result() for name in (COARSE, *methods)}
    each = []
    for case, outcomes in streams.progress(run(cases, methods, labels=labels), len(cases)):
        for name, outcome in outcomes.items():
            results[name].add(outcome)
        each.append({"stem": case.stem, "scores": {name: _scores(o.scores._asdict()) for name, o in outcomes.items()}})
    rows = {name: _row(result, results[COARSE]) for name, result in results.items()}
    facts: dict[str, Any] = machine.facts() if as_json else {}  # tables show none of it, and it takes torch to tell
    facts |= {
        "results": rows,
        "peers": {name: {"settings": peer.settings, "source": peer.source} for name, peer in chosen.items()},
    }
    if calibration:
        facts["calibration"] = {name: _calibration(results[name]) for name in (COARSE, ours)}
    if details:
        facts["images"] = each
    if as_json:
        streams.tell(json.dumps(facts))
    else:
        measured.show(facts)
    floors = {"iou": min_iou, "biou": min_biou, "mba": min_mba, "error_removed": min_error_removed}
    missed = [
        f"{name} is {rows[ours][name]:.4f}, below the floor of {floor}."
        for name, floor in floors.items()
        if floor is not None and rows[ours][name] < floor
    ]
    if max_made_worse is not None and rows[ours]["made_worse"] > max_made_worse:
        missed.append(f"made_worse is {rows[ours]['made_worse']:.4f}, above the ceiling of {max_made_worse}.")
    for text in missed:
        streams.say(text)
    return 1 if missed else 0


def _row(result: "Result", coarse: "Result") -> dict[str, float]:
    import statistics

    return _scores(result.summary(coarse)._asdict()) | {"seconds": round(statistics.median(result.seconds), 4)}


def _calibration(result: "Result") -> dict[str, dict[str, Any]]:
    return {
        place: {
            "expected_calibration_error": round(diagram.expected_calibration_error, 4),
            "bins": [_scores(row) for row in diagram.rows()],
        }
        for place, diagram in (("band", result.band), ("everywhere", result.everywhere))
    }


def _scores(row: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in row.items()}
