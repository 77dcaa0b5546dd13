"""``spnrefine batch``: refine a folder, or the masks of an annotation file."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli.options import WRITING, is_folder, option, refining_options, section
from spnrefine.cli.sections import Command
from spnrefine.cli.streams import STREAM, progress, read_list, say, tell
from spnrefine.cli.types import FILE, FOLDER, TEXT_OF_PATH, Number

if TYPE_CHECKING:
    from spnrefine.batch.ledger import Ledger
    from spnrefine.batch.pairing import Pair
    from spnrefine.batch.run import Finish
    from spnrefine.cli.summary import Tally
    from spnrefine.job.job import Loaded, Refined
    from spnrefine.job.record import Record

MOST_JOBS = 8  # by default: each takes a few hundred megabytes


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine batch photos/ --mask-dir masks/ -o refined/
  spnrefine batch photos/ -o refined/               masks are in photos/masks, or beside the photographs: STEM_mask.*
  spnrefine batch photos/ --mask-dir masks/ -o refined/ --resume
  spnrefine batch photos/ --mask-dir masks/ -o refined/ --records - | jq 'select(.status == "failed")'
  spnrefine batch photos/ -o masks/                 no masks there: the object in each photograph is found first
  spnrefine batch portraits/ --model face -o labels/
  spnrefine batch annotations.json --images photos/ -o refined.json
  find photos -name '*.jpg' -print0 | spnrefine batch --files0-from - --mask-dir masks -o refined
""",
)
@click.argument("folder", metavar="[DIR|FILE]", type=FILE, required=False)
@option(
    "--mask-dir",
    type=FOLDER,
    help="Folder of the coarse masks, same tree and stems; default DIR/masks, or else STEM_mask.* beside the photos.",
)
@option(
    "-o",
    "--output",
    "destination",
    type=TEXT_OF_PATH,
    metavar="DIR|FILE",
    required=True,
    help="Folder of the refined masks, or file of the refined annotations.",
)
@option("--overlay", type=FOLDER, help="Also draw the refined masks over their photographs, as JPEG.")
@option("--report", type=FILE, help="Write an HTML page to review the masks, most changed first.")
@option("--json", "as_json", is_flag=True, help="The same as --records -.")
@section(
    "How a batch runs",
    option("--resume", is_flag=True, help="Skip what an earlier run did with the same inputs, options and weights."),
    option("--dry-run", is_flag=True, help="Print which mask goes with which photograph and where to; refine nothing."),
    option("--max-items", type=click.IntRange(min=1), metavar="N", help="Refine at most N; with --resume, the next N."),
    option("--fail-fast", is_flag=True, help="Stop at the first file that fails."),
    option("--jobs", type=click.IntRange(1), show_default="one a core, at most 8", metavar="N", help="Images at once."),
    option(
        "--files-from",
        type=TEXT_OF_PATH,
        metavar="FILE|-",
        help="Refine the photographs that a file names, one a line; their tree begins at DIR, or else at the lowest "
        "folder that holds all.",
    ),
    option(
        "--files0-from",
        type=TEXT_OF_PATH,
        metavar="FILE|-",
        help="The same, with names that end in NUL (find -print0).",
    ),
)
@section(
    "Annotations",
    option("--images", type=FOLDER, help="Take DIR or FILE for annotations, of photographs in this folder."),
    option("--polygons", is_flag=True, help="Write changed COCO masks as polygons always, never as RLE."),
    option(
        "--tolerance",
        type=Number(min=0),
        default=1.0,
        show_default=True,
        metavar="PX",
        help="How far polygons may leave the refined edge.",
    ),
)
@refining_options
@section(
    WRITING,
    option("--records", type=TEXT_OF_PATH, metavar="FILE|-", help="Write a JSON record a line for each photograph."),
)
def batch(
    folder: Path | None,
    images: Path | None,
    polygons: bool,
    tolerance: float,
    mask_dir: Path | None,
    destination: str,
    files_from: str | None,
    files0_from: str | None,
    resume: bool,
    dry_run: bool,
    max_items: int | None,
    fail_fast: bool,
    jobs: int | None,
    overlay: Path | None,
    report: Path | None,
    records: str | None,
    as_json: bool,
    model: str,
    backbone: str | None,
    only: str | None,
    device: str,
    **how: Any,
) -> int:
    """Refine the masks of all photographs in DIR and its sub-folders, or those of an annotation FILE.

    The tree and the stems are kept. A file that fails does not stop the rest: each is named at the end, and the exit
    code is 1. What was done is kept beside the output, in .NAME.spnrefine.jsonl, for --resume.

    Annotations are COCO, LabelMe or Label Studio JSON, CVAT's XML for images, or with --images a folder of LabelMe or
    YOLO files. All that is not a changed mask stays as it is, byte for byte; so do masks that fail or that --max-items
    leaves for another run.
    """
    if files_from and files0_from:
        raise click.UsageError("--files-from and --files0-from were both given: give one.")
    if folder is None and not (files_from or files0_from):
        raise click.UsageError("No photographs were named: give DIR, --files-from or --files0-from.")

    import spnrefine
    from spnrefine.batch.ledger import Ledger, made_before, run_key
    from spnrefine.batch.run import Work, run
    from spnrefine.cli import makers
    from spnrefine.cli.summary import Tally
    from spnrefine.errors import FileError
    from spnrefine.job.job import Settings
    from spnrefine.model import weights
    from spnrefine.simd import cores

    output = Path(destination)
    jobs = jobs or min(cores.available(), MOST_JOBS)
    settings = Settings.of(**how)
    tally = Tally(STREAM if as_json else records, report, overwrite=settings.overwrite)
    threads = max(1, cores.available() // jobs)

    def load() -> spnrefine.Refiner:
        return spnrefine.Refiner(model, device, threads, quick=settings.quick, best=settings.best)

    def open_ledger(checksums: str = "") -> Ledger:
        key = run_key(settings, checksums or weights.describe(model).sha256, spnrefine.__version__)
        return Ledger(output, key, required=resume)

    if folder is not None and (images is not None or folder.is_file()):
        unfit = {"--mask-dir": mask_dir, "--files-from": files_from, "--files0-from": files0_from}
        _check_fit(unfit | {"--backbone": backbone, "--class": only}, how)
        from spnrefine.cli.annotated import Annotations, Course, refine_annotations, show_annotations

        if folder.is_file() and is_folder(destination):
            output /= folder.name
        annotations = Annotations(folder, images, output, polygons, tolerance)
        if dry_run:
            return show_annotations(annotations)
        course = Course(jobs, resume, max_items, fail_fast, overlay)
        return refine_annotations(annotations, load, settings, open_ledger, tally, course)
    if polygons:
        raise click.UsageError("--polygons goes with annotations: name their file, or their folder with --images.")
    labels = makers.makes_labels(model)
    makers.check_usage(model, backbone, only, has_masks=mask_dir is not None)
    if output.is_file():
        raise FileError(f"{output} is a file: give -o a folder, for the refined masks of all photographs.")
    made = [*made_before(output), *([overlay] if overlay else [])]
    pairs = _pairs(folder, files_from, files0_from, mask_dir, output, made, without=labels or backbone is not None)
    if dry_run:
        return _show(pairs)
    unmasked = any(pair.mask is None and not pair.problem for pair in pairs)
    with closing(open_ledger(makers.checksums(model, backbone, only) if unmasked else "")) as ledger:
        tally.check(ledger, resume=resume, inputs=[path for pair in pairs for path in pair.inputs])
        maker = None
        if unmasked:
            maker = makers.load_maker(model, backbone, only, settings.threshold, device, threads, best=settings.best)
        if unmasked and labels and only is None:
            makers.write_labelmap(output, model, overwrite=settings.overwrite)
        draw = _drawing(tally, overlay, output, ledger, overwrite=settings.overwrite, resume=resume)
        shows, refiner = overlay is not None or report is not None, None if labels else load()
        done = run(pairs, Work(refiner, settings, ledger, jobs, resume, max_items, maker, draw, also_skipped=shows))
        try:
            for record in progress(done, len(pairs)):
                tally.add(record)
                if fail_fast and record.status == "failed":
                    break
        finally:
            done.close()
            tally.close(len(pairs))
    return 1 if tally.failed else 0


def _check_fit(given: dict[str, Any], how: dict[str, Any]) -> None:
    """Refuse options that mean nothing for annotations, whose masks are neither files nor probabilities nor ids."""
    given |= {"--soft": how["soft"], "--labels": how["labels"], "--void": how["void"] is not None}
    given |= {"--resize-mask": how["resize_mask"]}
    wrong = next((name for name, value in given.items() if value), None)
    if wrong:
        raise click.UsageError(f"{wrong} was given with annotations, where it means nothing: leave it out.")


def _pairs(
    folder: Path | None,
    files_from: str | None,
    files0_from: str | None,
    mask_dir: Path | None,
    output: Path,
    made: list[Path],
    *,
    without: bool,
) -> "list[Pair]":
    """Pair photographs with masks; all of them have none ``without``, or where there are none to be found."""
    from spnrefine.batch.pairing import find_pairs, find_photographs, has_masks, pair_files, without_masks

    if files_from or files0_from:
        names = read_list(files_from or files0_from or "", "\n" if files_from else "\0")
        found = [Path(name) for name in names]
        return without_masks(found, folder, output) if without else pair_files(found, folder, mask_dir, output)
    folder = folder or Path()
    if without or (mask_dir is None and folder.is_dir() and not has_masks(folder)):
        return find_photographs(folder, output, made)
    return find_pairs(folder, mask_dir, output, made)


def _show(pairs: "list[Pair]") -> int:
    """Print the pairs without working on them; 1 where some cannot be."""
    for pair in pairs:
        tell(f"{pair.photograph}\t{pair.mask or ''}\t{pair.folder / pair.stem}.*")
        if pair.problem:
            say(f"{pair.photograph}: {pair.problem}")
    return int(any(pair.problem for pair in pairs))


def _drawing(
    tally: "Tally", overlay: Path | None, output: Path, ledger: "Ledger", *, overwrite: bool, resume: bool
) -> "Finish":
    """Return what shows a pair in the report, and draws it into the folder ``overlay`` if there is one."""

    def draw(pair: "Pair", loaded: "Loaded", refined: "Refined", record: "Record") -> None:
        tally.show(record, loaded.image, refined)
        if overlay is None:
            return
        from spnrefine.review import pictures

        target = overlay / pair.folder.relative_to(output) / f"{pair.stem}.jpg"
        if record.status == "skipped" and target.exists():
            return
        picture = pictures.encode(pictures.overlay(loaded.image, refined.after), ".jpg")
        replaces = overwrite or (resume and ledger.may_replace(target))
        ledger.write(target, picture, overwrite=replaces, inputs=pair.inputs)

    return draw
