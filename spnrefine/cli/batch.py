"""``spnrefine batch``: refine a folder, or the masks of an annotation file."""

from pathlib import Path
from typing import Any

import click

from spnrefine.cli.engines import engine_options
from spnrefine.cli.options import OVERLAY_STYLE, WRITING, is_folder, option, refining_options, section
from spnrefine.cli.paths import ANYWHERE, FILE, FILE_OR_URL, FOLDER, FOLDER_OR_URL, PATH_OR_STREAM, PATH_OR_URL
from spnrefine.cli.sections import Command
from spnrefine.cli.streams import STREAM
from spnrefine.cli.types import Failures, Names, Number


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine batch photos/ --mask-dir masks/ -o refined/
  spnrefine batch photos/ -o refined/               masks are in photos/masks, or beside the photographs: STEM_mask.*
  spnrefine batch photos/ --mask-dir masks/ -o refined/ --resume
  spnrefine batch photos/ --mask-dir masks/ -o refined/ --records - | jq 'select(.status == "failed")'
  spnrefine batch photos/ --backbone object -o masks/         no masks there: the object in each is found first
  spnrefine batch photos/*.jpg --mask-dir masks/ --mask-pattern '{stem}_cp_masks.png' --name '{mask}' -o refined/
  spnrefine batch portraits/ --model face -o labels/
  spnrefine batch annotations.json --images photos/ -o refined.json
  spnrefine batch s3://bucket/photos --mask-dir s3://bucket/masks -o s3://bucket/refined
  find photos -name '*.jpg' -print0 | spnrefine batch --files0-from - --mask-dir masks -o refined
""",
)
@click.argument("paths", metavar="[DIR|FILE...]", type=FILE_OR_URL, nargs=-1)
@option(
    "--mask-dir",
    type=FOLDER_OR_URL,
    help="Folder of the coarse masks, same tree and stems; default DIR/masks, or else STEM_mask.* beside the photos.",
)
@option(
    "--mask-pattern",
    metavar="PATTERN",
    help="Names of the masks, there or beside the photos: '{stem}_mask.png', '{name}.png', '../labels/{stem}.tif'.",
)
@option(
    "-o",
    "--output",
    "destination",
    type=PATH_OR_URL,
    metavar="DIR|FILE",
    required=True,
    help="Folder of the refined masks, or file of the refined annotations.",
)
@option("--overlay", type=FOLDER, help="Also draw the refined masks over their photographs, as JPEG.")
@OVERLAY_STYLE
@option(
    "--compare",
    type=FOLDER,
    help="Also draw photograph, coarse mask, refined mask and difference in a row, as JPEG.",
)
@option("--cutout", type=FOLDER, help="Also cut the objects out of their photographs, as RGBA PNG with a matte.")
@option("--doubt", type=FOLDER, help="Also write where refined masks may be wrong, as 8-bit gray PNG.")
@option("--report", type=FILE, help="Write an HTML page to review the masks, those first that may be off most.")
@option("--json", "as_json", is_flag=True, help="The same as --records -.")
@section(
    "How a batch runs",
    option("--resume", is_flag=True, help="Skip what an earlier run did with the same inputs, options and weights."),
    option("--done-is-done", is_flag=True, help="With --resume: whatever the options, weights and version were."),
    option("--dry-run", is_flag=True, help="Print which mask goes with which photograph and where to; refine nothing."),
    option(
        "--only",
        "names",
        type=Names(),
        metavar="NAME,...",
        multiple=True,
        help="Refine these photographs alone, again where they were before; a later --resume keeps what comes out.",
    ),
    option(
        "--keep-coarse",
        type=Names(),
        metavar="NAME,...",
        multiple=True,
        help="Work on these photographs alone, and take their coarse masks as they are; --resume keeps that too.",
    ),
    option("--max-items", type=click.IntRange(min=1), metavar="N", help="Refine at most N; with --resume, the next N."),
    option(
        "--max-failures",
        type=Failures(),
        help="Exit with 3 rather than 1 where no more files than this have failed; stop once more have.",
    ),
    option("--allow-empty", is_flag=True, help="No photographs are no error: exit with 0 rather than 4."),
    option("--fail-fast", is_flag=True, help="Stop at the first file that fails."),
    option("--strict", is_flag=True, help="A photograph without a mask is a failure."),
    option("--quiet", is_flag=True, help="Do not say how far the batch is, nor what is left out."),
    option(
        "--jobs",
        type=click.IntRange(1),
        show_default="one a core, at most 8",
        metavar="N",
        help="Images at once; fewer where there are fewer cores, or memory for fewer.",
    ),
    option(
        "--files-from",
        type=PATH_OR_STREAM,
        metavar="FILE|-",
        help="Refine the photographs that a file names, one a line; their tree begins at DIR, or else at the lowest "
        "folder that holds all.",
    ),
    option(
        "--files0-from",
        type=PATH_OR_STREAM,
        metavar="FILE|-",
        help="The same, with names that end in NUL (find -print0).",
    ),
)
@engine_options
@section(
    "Annotations",
    option("--images", type=FOLDER, help="Take DIR or FILE for annotations, of photographs in this folder."),
    option("--images-file", type=FILE, help="COCO file that names the photographs of a list of COCO results."),
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
    option(
        "--name",
        metavar="PATTERN",
        help="Name of a refined mask, without its extension; '{mask}' is the mask's own, in its own folder.  [default: "
        "{stem}]",
    ),
    option(
        "--records",
        type=ANYWHERE,
        metavar="FILE|-",
        help="Write a JSON record a line for each photograph, at once.",
    ),
    option("--append", is_flag=True, help="Add the records to those in the file."),
)
def batch(
    paths: tuple[Any, ...],
    images: Path | None,
    images_file: Path | None,
    polygons: bool,
    tolerance: float,
    mask_dir: Any,
    destination: str,
    mask_pattern: str | None,
    name: str | None,
    strict: bool,
    files_from: str | None,
    files0_from: str | None,
    allow_empty: bool,
    **given: Any,
) -> int:
    """Refine the masks of all photographs in DIR and below, or those of an annotation FILE.

    The tree and the stems are kept. A file that fails does not stop the rest: each is named at the end, and the exit
    code is 1 (see --max-failures). What was done is kept beside the output, in .NAME.spnrefine.jsonl, for --resume.

    Annotations are COCO, Label Studio, LabelMe, Supervisely, SA-1B or QuPath JSON, CVAT's XML, or with --images a
    folder of YOLO files or of any of the last four. All that is not a changed mask stays as it is, byte for byte; so do
    masks that fail or that --max-items leaves for another run.

    DIR, --mask-dir, -o and --records may be URLs of object stores: s3://, gs:// (extra stores).
    """
    if given["done_is_done"] and not given["resume"]:
        raise click.UsageError("--done-is-done was given without --resume: give both.")
    if given["append"] and given["records"] in (None, STREAM):
        raise click.UsageError("--append was given without a file of records: name one with --records.")
    if given["as_json"] and given["records"] not in (None, STREAM):
        raise click.UsageError("--json, which is --records -, and a file of records were both given: give one.")
    if files_from and files0_from:
        raise click.UsageError("--files-from and --files0-from were both given: give one.")
    if not paths and not (files_from or files0_from):
        raise click.UsageError("No photographs were named: give DIR, their names, --files-from or --files0-from.")
    from spnrefine.cli import batch_stores

    places = mask_dir, destination, given["records"]
    if batch_stores.any_urls(*paths, *places):
        batch_stores.check_fit(
            paths,
            places,
            images=images,
            images_file=images_file,
            polygons=polygons,
            files_from=files_from,
            files0_from=files0_from,
            given=given,
        )
        names = {"mask_pattern": mask_pattern, "name": name, "strict": strict, "allow_empty": allow_empty}
        return batch_stores.refine_stores(paths[0], mask_dir, destination, names, given)
    folder, files = _folder_or_files(paths, listed=bool(files_from or files0_from))

    from spnrefine.cli import batch_annotations, batch_files
    from spnrefine.cli.course import Course

    output = Path(destination)
    if folder is not None and (images is not None or folder.is_file()):
        if folder.is_file() and is_folder(destination):
            output /= folder.name
        course = Course.of(output, **given)
        batch_annotations.check_fit(
            course,
            mask_dir=mask_dir,
            mask_pattern=mask_pattern,
            name=name,
            strict=strict,
            files_from=files_from,
            files0_from=files0_from,
        )
        annotations = batch_annotations.Annotations(
            folder, images, images_file, polygons, tolerance, allow_empty=allow_empty
        )
        return batch_annotations.refine_annotations(annotations, course)
    given_alone = "--polygons" if polygons else "--images-file" if images_file else None
    if given_alone:
        raise click.UsageError(f"{given_alone} goes with annotations: name their file, or their folder with --images.")
    photographs = batch_files.Photographs(
        folder, files, files_from, files0_from, mask_dir, mask_pattern, name, strict=strict, allow_empty=allow_empty
    )
    return batch_files.refine_files(photographs, Course.of(output, **given))


def _folder_or_files(paths: tuple[Path, ...], *, listed: bool) -> tuple[Path | None, list[Path]]:
    """Tell the folder, or annotation file, from photographs that are named one by one."""
    from spnrefine.files.formats import PHOTOGRAPHS
    from spnrefine.files.stems import has_extension

    if len(paths) == 1 and not (paths[0].is_file() and has_extension(paths[0], PHOTOGRAPHS)):
        return paths[0], []
    if paths and listed:
        raise click.UsageError("Photographs and a list of them were both given: give one.")
    other = next((path for path in paths if path.is_dir() or not has_extension(path, PHOTOGRAPHS)), None)
    if other is not None:
        raise click.UsageError(f"{other} was given among several files: give one folder, or photographs alone.")
    return None, list(paths)
