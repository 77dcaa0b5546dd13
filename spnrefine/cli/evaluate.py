"""``spnrefine eval``: measure refinement where the truth is known."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli import gate, streams
from spnrefine.cli.options import OVERWRITE, changing_options, model_option, option, section
from spnrefine.cli.paths import EITHER, FILE, FOLDER
from spnrefine.cli.sections import Command
from spnrefine.cli.types import Distances, Number, Radii

if TYPE_CHECKING:
    from spnrefine.evaluate.cases import Cases
    from spnrefine.evaluate.peers import Peer

SHARE = click.FloatRange(0, 1)


@click.command(
    name="eval",
    cls=Command,
    epilog="""\b
Examples:
  spnrefine eval --images images/ --coarse coarse/ --truth truth/
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --threshold 0.4 --max-change 0.5 --csv scores.csv
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --against theirs/ --against refined-by-broad/
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --peers grabcut,graph-cut --json
  spnrefine eval --images images/ --coarse coarse/ --truth truth/ --min-error-removed 0.5 --max-made-worse 0.01
""",
)
@option("--images", type=FOLDER, required=True, help="The photographs.")
@option(
    "--coarse", type=EITHER, required=True, help="The coarse masks, same stems; or annotations, as 'batch' takes them."
)
@option(
    "--truth",
    type=EITHER,
    required=True,
    help="The truths: masks, same stems, in gray ones 128 is void; or annotations.",
)
@option("--object", "which", type=click.IntRange(min=1), metavar="ID", help="Truths are maps, of which this id counts.")
@option("--each-object", is_flag=True, help="Truths are maps of instances: measure each id by itself.")
@option("--truth-void", type=click.IntRange(min=0), metavar="ID", help="Value of void in the truths.")
@option("--strict", is_flag=True, help="Fail where a truth has no photograph or no coarse mask.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@model_option("The refiner.")
@section(
    "What else is measured",
    option(
        "--against",
        type=EITHER,
        multiple=True,
        help="Also measure masks that another method, model or setting made, same stems; may be given several times.",
    ),
    option(
        "--peers",
        metavar="all|NAMES",
        help="Also measure other refiners: all that are installed, or these, with commas between. Dense CRFs and graph "
        "cut need the extra 'peers'.",
    ),
    option(
        "--boundary-share",
        type=Number(0, 1),
        default=0.02,
        show_default=True,
        metavar="SHARE",
        help="Width of Boundary IoU's bands, as a share of the diagonal.",
    ),
    option(
        "--mba-radii",
        type=Radii(),
        metavar="PX,PX,...",
        help="Radii of mean boundary accuracy.  [default: five, from 1 to (height + width) / 300]",
    ),
    option(
        "--nsd-radii",
        type=Distances(),
        metavar="PX,PX,...",
        help="Also measure normalised surface dice, NSD, within each of these radii.",
    ),
    option("--hd95", is_flag=True, help="Also measure the Hausdorff distance, its 95th percentile, in pixels."),
    option("--calibration", is_flag=True, help="Also say how far soft masks, coarse and refined, can be believed."),
    option("--details", is_flag=True, help="Also print the scores of every image."),
    option("--csv", "csv_file", type=FILE, help="Also write the scores, a row for each image."),
    option("--report", type=FILE, help="Also write an HTML page of the worst masks, each beside its truth."),
    option(
        "--plot",
        type=FILE,
        help="Also draw reliability and error by threshold: .png, .svg or .pdf; needs the extra 'plot'.",
    ),
    OVERWRITE,
)
@section(
    "When it fails",
    option("--min-iou", type=SHARE, metavar="IOU", help="Fail where the mean IoU is below this."),
    option("--min-biou", type=SHARE, metavar="IOU", help="Fail where the mean Boundary IoU is below this."),
    option("--min-mba", type=SHARE, metavar="SHARE", help="Fail where the mean boundary accuracy is below this."),
    option("--min-error-removed", type=float, metavar="SHARE", help="Fail where less of the error is removed."),
    option("--min-nsd", type=SHARE, metavar="SHARE", help="Fail where the mean NSD of any radius is below this."),
    option("--max-hd95", type=Number(min=0), metavar="PX", help="Fail where the mean HD95 is above this."),
    option("--max-made-worse", type=SHARE, metavar="SHARE", help="Fail where more of the masks are made worse."),
)
@changing_options
def evaluate(
    images: Path,
    coarse: Path,
    truth: Path,
    which: int | None,
    each_object: bool,
    truth_void: int | None,
    against: tuple[Path, ...],
    peers: str | None,
    calibration: bool,
    details: bool,
    csv_file: Path | None,
    report: Path | None,
    plot: Path | None,
    overwrite: bool,
    nsd_radii: tuple[float, ...] | None,
    hd95: bool,
    min_nsd: float | None,
    max_hd95: float | None,
    boundary_share: float,
    mba_radii: tuple[int, ...] | None,
    min_iou: float | None,
    min_biou: float | None,
    min_mba: float | None,
    min_error_removed: float | None,
    max_made_worse: float | None,
    strict: bool,
    as_json: bool,
    model: str,
    device: str,
    threads: int | None,
    **how: Any,
) -> int:
    """Refine coarse masks whose truth is known, and print how good the masks are before and after.

    Masks are refined as 'spnrefine batch' refines them with the same options. error_removed is the share of the coarse
    masks' mean 1 - IoU that is gone; made_worse the share of masks that lost more than half a point of IoU. biou is
    Boundary IoU (Cheng et al. 2021), mba mean boundary accuracy (Cheng et al. 2020), both as their published code has
    them; nsd_R normalised surface dice within R pixels and hd95 are DeepMind's (Nikolov et al. 2021); seconds the
    median an image. What is not defined for a mask, such as mba where the truth has no contour, is
    left out of means and counted; a floor fails on what is not defined at all. Intervals are of 95 %, by bootstrap over
    the images.

    Coarse masks and truths may be annotations, of one format: an object is then what both call the same, or the only
    one of a photograph. Instances that no names bring together are for 'spnrefine eval-instances'.

    Peers: grabcut, joint-bilateral, guided-filter, domain-transform, graph-cut, dense-crf-example, dense-crf-deeplab,
    dense-crf-saliency, and guided-filter-demo and domain-transform-demo for OpenCV's own settings of those two. Each
    runs with published parameters, which are printed.

    --calibration prints reliability diagrams and expected calibration errors: of the object's probability, in the band
    within 2 % of the diagonal around the coarse contour and over all pixels, and of the more probable of object and
    background, over all pixels (Guo et al. 2017).
    """
    import json

    from spnrefine.cli.threads import share_threads

    threads = share_threads(threads)
    from spnrefine import Refiner
    from spnrefine.batch.task import Tools
    from spnrefine.cli import measured
    from spnrefine.cli.evaluated import Written
    from spnrefine.errors import FileError
    from spnrefine.evaluate import facts, machine
    from spnrefine.evaluate.cases import find_cases
    from spnrefine.evaluate.evaluation import COARSE, Result, peer_method, refined
    from spnrefine.evaluate.evaluation import evaluate as run
    from spnrefine.evaluate.metrics import Measures, nsd_name
    from spnrefine.job.types import Settings
    from spnrefine.model.weights import describe

    if each_object and which is not None:
        raise click.UsageError("--object and --each-object were both given: give one.")
    chosen = _peers(peers)
    others = _named(against)
    written = Written(csv_file, report, plot, overwrite, (images, coarse, truth, *against))
    written.check()
    measures = Measures(boundary_share, mba_radii or (), nsd_radii or (), hd95 or max_hd95 is not None)
    if min_nsd is not None and not measures.nsd_radii:
        raise click.UsageError("--min-nsd was given without --nsd-radii: give both.")
    found = find_cases(images, coarse, truth, others, strict=strict, each=each_object, which=which)
    _say_left_out(found)
    settings = Settings.of(**how)
    ours = f"spnrefine {model}"
    refiner = Refiner(model, device, threads, **settings.of_refiner)
    methods = {ours: refined} | {name: peer_method(peer) for name, peer in chosen.items()}
    cases = streams.progress(found.cases, len(found.cases))
    worst, curves = written.watch(ours), calibration or plot is not None
    how_run: dict[str, Any] = {"truth_void": truth_void, "curves": curves, "watch": worst}
    all_measured = list(run(cases, methods, Tools(refiner, settings), measures, **how_run))
    if not all_measured:
        raise FileError(f"{truth} holds no object: give truths that have one.")
    results = {name: Result() for name in (COARSE, *methods, *others)}
    for each in all_measured:
        for name, outcome in each.outcomes.items():
            results[name].add(outcome)
    rows = facts.rows(results)
    printed: dict[str, Any] = machine.facts() if as_json else {}  # tables show none of it, and it takes torch to tell
    printed |= {
        "measures": measures.facts(),
        "results": rows,
        "by_size": facts.by_size(results, all_measured),
        "by_category": facts.by_category(results, all_measured),
        **facts.chance(results, ours, all_measured),
        "peers": {name: {"settings": peer.settings, "source": peer.source} for name, peer in chosen.items()},
    }
    if calibration:
        printed["calibration"] = {name: facts.calibration(results[name]) for name in (COARSE, ours)}
        printed["by_threshold"] = facts.by_threshold(results)
        printed["temperature"] = describe(model).temperature
    if details:
        printed["images"] = facts.of_pictures(all_measured)
    written.write(all_measured, results, worst, {"output": f"{truth}", "model": model})
    if as_json:
        streams.tell(json.dumps(printed, allow_nan=False))
    else:
        measured.show(printed)
    floors = {"iou": min_iou, "biou": min_biou, "mba": min_mba, "error_removed": min_error_removed}
    floors |= {nsd_name(radius): min_nsd for radius in measures.nsd_radii}
    missed = gate.missed(rows[ours], floors, {"made_worse": max_made_worse, "hd95": max_hd95})
    for text in missed:
        streams.say(text)
    return 1 if missed else 0


def _peers(names: str | None) -> "dict[str, Peer]":
    """Return the peers that were asked for, and say which of all are not installed."""
    from spnrefine.evaluate import peers

    chosen = {} if names is None else peers.choose(names)
    if names == peers.ALL:
        for name, peer in peers.PEERS.items():
            if name not in chosen:
                streams.say(f"{name} is left out: {peer.package} is not installed (extra 'peers').")
    return chosen


def _say_left_out(found: "Cases") -> None:
    measured = f"measured: {len(found.cases)} photographs"
    if found.alone:
        few = streams.few(found.alone)
        streams.say(f"Left out: {len(found.alone)} names that are not in all that was given ({few}); {measured}.")
    if found.problems:
        streams.say(f"Left out: {len(found.problems)} objects that cannot be read ({found.problems[0]}); {measured}.")
    if found.crowds:
        streams.say(f"Left out: {found.crowds} crowds of the truth, which are no single objects; {measured}.")


def _named(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Call each folder by what was given; one that was given twice is one."""
    return {f"against {folder}": folder for folder in folders}
