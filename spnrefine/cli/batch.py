"""``spnrefine batch``: refine a folder, or the masks of an annotation file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli.options import maker_options, option, output_options, path
from spnrefine.cli.streams import STREAM, progress, read_list, say

if TYPE_CHECKING:
    from spnrefine.batch.job import Loaded, Refined, Settings
    from spnrefine.batch.pairing import Pair
    from spnrefine.batch.record import Record
    from spnrefine.batch.run import Finish
    from spnrefine.cli.summary import Tally

MOST_JOBS = 8  # by default: each takes a few hundred megabytes


@click.command(
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
"""
)
@click.argument("folder", metavar="[DIR|FILE]", type=path(), required=False)
@option("--images", metavar="DIR", type=path(), help="Take DIR or FILE for annotations, of photographs in this folder.")
@option("--polygons", is_flag=True, help="Write changed COCO masks as polygons always, never as RLE.")
@option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    metavar="PX",
    help="How far polygons may leave the refined edge.",
)
@option(
    "--mask-dir",
    metavar="DIR",
    type=path(),
    help="Folder of the coarse masks, same tree and stems; default DIR/masks, or else STEM_mask.* beside the photos.",
)
@option(
    "-o",
    "--output",
    metavar="DIR|FILE",
    type=path(),
    required=True,
    help="Folder of the refined masks, or file of the refined annotations.",
)
@option("--files-from", metavar="FILE|-", help="Refine the photographs that a file names, one a line.")
@option("--files0-from", metavar="FILE|-", help="The same, with names that end in NUL, as find -print0 writes them.")
@output_options
@option("--resume", is_flag=True, help="Skip what an earlier run has done with the same inputs, options and weights.")
@option("--dry-run", is_flag=True, help="Print which mask goes with which photograph, and where to; refine nothing.")
@option("--max-items", type=click.IntRange(min=1), metavar="N", help="Refine at most N; with --resume, the next N.")
@option("--fail-fast", is_flag=True, help="Stop at the first file that fails.")
@option("--jobs", type=click.IntRange(1), help="Images worked on at once.  [default: one a core, at most 8]")
@option("--overlay", metavar="DIR", type=path(), help="Also draw each refined mask over its photograph, as JPEG.")
@option("--report", metavar="FILE", type=path(), help="Write an HTML page to review the masks, most changed first.")
@option("--records", metavar="FILE|-", help="Write a JSON record a line for each photograph.")
@option("--json", "as_json", is_flag=True, help="The same as --records -.")
@maker_options
def batch(
    folder: Path | None,
    images: Path | None,
    polygons: bool,
    tolerance: float,
    mask_dir: Path | None,
    output: Path,
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
    code is 1. What was done is kept beside the output folder, in .NAME.spnrefine.jsonl, for --resume.

    Annotations are COCO, LabelMe or Label Studio JSON, CVAT's XML for images, or with --images a folder of LabelMe or
    YOLO files. All that is not a changed mask stays as it is, byte for byte.
    """
    if files_from and files0_from:
        raise click.UsageError("Give either --files-from or --files0-from.")
    if folder is None and not (files_from or files0_from):
        raise click.UsageError("Missing DIR, or a list of photographs with --files-from or --files0-from.")

    import spnrefine
    from spnrefine.batch.job import Settings
    from spnrefine.batch.ledger import Ledger, run_key
    from spnrefine.batch.run import Work, run
    from spnrefine.cli import makers
    from spnrefine.cli.summary import Tally
    from spnrefine.model import weights
    from spnrefine.ops import cores

    jobs = jobs or min(cores.available(), MOST_JOBS)
    threads = max(1, cores.available() // jobs)
    settings = Settings.of(**how)
    tally = Tally(STREAM if as_json else records, report, overwrite=settings.overwrite or resume)
    if folder is not None and (images is not None or folder.is_file()):
        unfit: dict[str, Any] = {
            "--mask-dir": mask_dir,
            "--files-from": files_from,
            "--files0-from": files0_from,
            "--resume": resume,
        }
        unfit |= {"--overlay": overlay, "--dry-run": dry_run, "--max-items": max_items, "--soft": settings.soft}
        unfit |= {"--backbone": backbone, "--class": only}
        unfit |= {"--labels": settings.labels, "--void": how["void"] is not None, "--resize-mask": settings.resize_mask}
        wrong = next((name for name, value in unfit.items() if value), None)
        if wrong:
            raise click.UsageError(f"{wrong} does not go with annotations.")
        from spnrefine.cli.annotated import refine_annotations

        document = (folder, images, polygons, tolerance)
        refiner = spnrefine.Refiner(model, device, threads=threads)
        return refine_annotations(document, output, refiner, settings, tally, jobs=jobs, fail_fast=fail_fast)
    labels = makers.makes_labels(model)
    makers.check_usage(model, backbone, only, has_masks=mask_dir is not None)
    pairs = _pairs(folder, files_from, files0_from, mask_dir, output, without=labels or backbone is not None)
    if dry_run:
        return _show(pairs)
    tally.check()
    networks, maker = [model], None
    if any(pair.mask is None and not pair.problem for pair in pairs):
        networks += [] if labels else [backbone or makers.BACKBONE]
        maker = makers.load_maker(model, backbone, only, settings.threshold, device, threads)
        if labels and only is None:
            makers.write_labelmap(output, model, overwrite=settings.overwrite or resume)
    last = None if labels else spnrefine.Refiner(model, device, threads=threads)
    checksums = " ".join(weights.describe(name).sha256 for name in networks) + (f" {only}" if only else "")
    ledger = Ledger(output, run_key(settings, checksums, spnrefine.__version__), required=resume)
    work = Work(last, settings, ledger, jobs, resume, max_items, maker, _drawing(overlay, output, settings, tally))
    done = run(pairs, work)
    try:
        for record in progress(done, len(pairs)):
            tally.add(record)
            if fail_fast and record.status == "failed":
                break
    finally:
        done.close()
        ledger.close()
        tally.close(len(pairs))
    return 1 if tally.failed else 0


def _pairs(
    folder: Path | None,
    files_from: str | None,
    files0_from: str | None,
    mask_dir: Path | None,
    output: Path,
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
        return find_photographs(folder, output)
    return find_pairs(folder, mask_dir, output)


def _show(pairs: "list[Pair]") -> int:
    """Print the pairs without working on them; 1 where some cannot be."""
    for pair in pairs:
        click.echo(f"{pair.photograph}\t{pair.mask or ''}\t{pair.folder / pair.stem}.*")
        if pair.problem:
            say(f"{pair.photograph}: {pair.problem}")
    return int(any(pair.problem for pair in pairs))


def _drawing(overlay: Path | None, output: Path, settings: "Settings", tally: "Tally") -> "Finish":
    """Return what shows a refined pair in the report, and draws it into the folder ``overlay`` if there is one."""

    def draw(pair: "Pair", loaded: "Loaded", refined: "Refined", record: "Record") -> None:
        tally.show(record, loaded.image, refined)
        if overlay:
            from spnrefine.files import atomic
            from spnrefine.review import pictures

            target = overlay / pair.folder.relative_to(output) / f"{pair.stem}.jpg"
            picture = pictures.encode(pictures.overlay(loaded.image, refined.after), ".jpg")
            atomic.write_bytes(target, picture, overwrite=settings.overwrite, inputs=pair.inputs)

    return draw
