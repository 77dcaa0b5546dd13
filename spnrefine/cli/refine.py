"""``spnrefine IMAGE [--mask MASK]``: refine one mask, or make one."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spnrefine.cli.collecting import nothing_collected
from spnrefine.cli.counting import ids_counted
from spnrefine.cli.options import (
    OVERLAY_STYLE,
    WRITING,
    check_kinds,
    is_folder,
    option,
    refining_options,
    section,
)
from spnrefine.cli.paths import PATH_OR_STREAM, TEXT_OF_PATH
from spnrefine.cli.sections import Command
from spnrefine.cli.streams import STREAM, check_stdout_takes_bytes, read_stdin, say, tell, write_stdout
from spnrefine.cli.threads import share_threads

if TYPE_CHECKING:
    from spnrefine import Refiner


@click.command(
    cls=Command,
    context_settings={"allow_extra_args": True},
    epilog="""\b
Examples:
  spnrefine photo.jpg --mask coarse.png
  spnrefine photo.jpg --mask coarse.png -o fine.png --overlay look.jpg
  spnrefine photo.jpg                                       no mask: the object in it is found first
  spnrefine portrait.jpg --model face                       a label map, and its labelmap.txt
  spnrefine portrait.jpg --model face --class hair
  spnrefine photo.jpg --mask coarse.png --alpha --cutout object.png
  cat coarse.png | spnrefine photo.jpg --mask - > refined.png
""",
)
@click.argument("image", metavar="IMAGE", type=PATH_OR_STREAM)
@option(
    "--mask",
    type=PATH_OR_STREAM,
    metavar="MASK",
    help="The coarse mask; '-' is standard input. Without it, one is made.",
)
@option(
    "-o",
    "--output",
    type=PATH_OR_STREAM,
    metavar="FILE|DIR|-",
    help="Where the result goes; default IMAGE-STEM_refined beside IMAGE.",
)
@option("--overlay", type=TEXT_OF_PATH, metavar="FILE", help="Also draw the refined mask over the photograph.")
@OVERLAY_STYLE
@option("--json", "as_json", is_flag=True, help="Print a JSON record instead of the path.")
@refining_options
@section(
    WRITING,
    option(
        "--compare",
        type=TEXT_OF_PATH,
        metavar="FILE",
        help="Also draw photograph, coarse mask, refined mask and difference in a row.",
    ),
    option(
        "--cutout",
        type=TEXT_OF_PATH,
        metavar="FILE",
        help="Also cut the object out of the photograph, with a matte for alpha: RGBA (PNG, TIFF or WebP).",
    ),
    option(
        "--doubt",
        type=TEXT_OF_PATH,
        metavar="FILE",
        help="Also write where the refined mask may be wrong: 8-bit gray, 255 times the probability of each pixel.",
    ),
)
def refine(
    image: str,
    mask: str | None,
    output: str | None,
    overlay: str | None,
    overlay_style: str,
    compare: str | None,
    cutout: str | None,
    doubt: str | None,
    as_json: bool,
    model: str,
    matting: str,
    backbone: str | None,
    only: str | None,
    device: str,
    threads: int | None,
    **how: Any,
) -> None:
    """Refine MASK so that its edge follows the photograph IMAGE.

    The result has the mask's own format, type, palette and values. Without MASK, a backbone finds the object first; a
    model of label maps (--model face) writes ids as palette PNG, and their names as labelmap.txt beside it. IMAGE or
    MASK may be '-', standard input; then, without -o, the result goes to standard output. A photograph named like a
    command is ./batch.
    """
    more = click.get_current_context().args
    if more:
        raise click.UsageError(
            f"{1 + len(more)} photographs were given, {image} and {more[0]} among them: 'spnrefine batch' takes them "
            "all by their names, and 'spnrefine batch --files-from LIST' in a list."
        )
    to_stdout = output == STREAM or (output is None and STREAM in (image, mask))
    if image == mask == STREAM:
        raise click.UsageError("IMAGE and --mask were both '-': only one of them can be standard input.")
    if to_stdout and as_json:
        raise click.UsageError("--json and the mask cannot both go to standard output: give -o FILE.")
    if to_stdout:
        check_stdout_takes_bytes()
    named = image if image != STREAM or mask is None else mask
    if output and not to_stdout:
        _check_output(output, named)

    import json
    import time

    threads = share_threads(threads)
    from spnrefine.cli import no_mask
    from spnrefine.files import atomic, masks, sidecars
    from spnrefine.files.inputs import Inputs
    from spnrefine.files.opening import describe
    from spnrefine.job import job
    from spnrefine.job.doubts import doubts
    from spnrefine.job.mattes import load_matting
    from spnrefine.job.record import Record
    from spnrefine.review import pictures

    settings = job.Settings.of(**how)
    check_kinds(soft=settings.soft, alpha=settings.alpha)
    overwrite = settings.overwrite
    device = "cpu" if device == "auto" else device  # which has refined one photograph before torch has found a GPU
    no_mask.check_usage(model, backbone, only, has_masks=mask is not None)
    photograph = read_stdin() if image == STREAM else Path(image)
    coarse = None if mask is None else read_stdin() if mask == STREAM else Path(mask)
    inputs = Inputs([*_read(photograph, coarse), *no_mask.weights_files(model, backbone)])
    maker = None
    if coarse is None:
        maker = no_mask.load_maker(model, backbone, only, settings.threshold, device, threads, best=settings.best)
    loaded = job.load(photograph, coarse, settings, maker)
    extension = masks.extension(loaded.mask) if mask is not None else ".png"
    target = None if to_stdout else _target(named, output, extension)
    outputs = [Path(path) for path in (target, overlay, compare, cutout, doubt) if path]
    if len(set(outputs)) < len(outputs):
        raise click.UsageError(
            "Two of the mask, --overlay, --compare, --cutout and --doubt name the same file: give each its own."
        )
    for path in outputs:
        atomic.check_output(path, overwrite=overwrite, inputs=inputs)
    _check_formats(target, cutout, (overlay, compare, doubt))

    record = Record(image, mask, str(target) if target else None)
    start = time.perf_counter()
    later = _Later(model, device, threads, **settings.of_refiner)
    mattes = load_matting(matting, threads) if settings.alpha or cutout else None
    with ids_counted():
        refined = job.refine(loaded, later, settings, record, mattes, judged=as_json)
    record.seconds = round(time.perf_counter() - start, 4)
    drawn = [(doubt, doubts(refined))] if doubt else []
    refined = job.without_probabilities(loaded, refined, settings)
    data = job.encode(loaded, refined, settings, target.suffix if target else extension)
    if overlay:
        drawn.append((overlay, pictures.overlay(loaded.image, refined.after, style=overlay_style)))
    if compare:
        drawn.append((compare, pictures.compare(loaded.image, refined.before, refined.after, overlay_style)))
    for name, picture in drawn:
        encoded = pictures.encode(picture, Path(name).suffix)
        atomic.write_bytes(Path(name), encoded, overwrite=overwrite, inputs=inputs)
    if cutout:
        rgba = job.encode_cutout(loaded.image, refined, Path(cutout).suffix)
        atomic.write_bytes(Path(cutout), rgba, overwrite=overwrite, inputs=inputs)
    if target and only is None and no_mask.makes_labels(model):
        no_mask.write_labelmap(target.parent, model, inputs, overwrite=overwrite)
    if target:
        atomic.write_bytes(target, data, overwrite=overwrite, inputs=inputs)
        if isinstance(coarse, Path) and not loaded.resized:
            sidecars.copy(coarse, target, overwrite=overwrite)
    else:
        write_stdout(data)
    note = job.note(record, loaded)
    if note:
        say(f"{describe(photograph if coarse is None else coarse)}: {note}.")
    if as_json:
        tell(json.dumps(record.as_dict()))
    elif target and not output:
        tell(str(target))


def _read(*sources: Path | bytes | None) -> list[Path]:
    """List the files that are read for a photograph and its mask."""
    from spnrefine.files.labelmaps import find_labelmap

    paths = [source for source in sources if isinstance(source, Path)]
    labelmaps = (find_labelmap(path) for path in paths)
    return [*paths, *(path for path in labelmaps if path)]


def _target(source: str, output: str | None, extension: str) -> Path:
    """Say where the result goes: beside the source, into a folder, or to the file named."""
    stem = Path(source).stem
    if output is None:
        return Path(source).with_name(f"{stem}_refined{extension}")
    if is_folder(output):
        return Path(output) / f"{stem}{extension}"
    return Path(output)


def _check_output(output: str, source: str) -> None:
    """Refuse a folder for what came without a name, and a file whose name tells no format."""
    if is_folder(output):
        if source == STREAM:
            raise click.UsageError(f"The photograph has no name to give its mask in {output}: give -o FILE.")
    elif not Path(output).suffix:
        hint = f"end it in one, as in {output}.png, or in / for a folder"
        raise click.UsageError(f"-o {output} has no extension: {hint}.")


def _check_formats(target: Path | None, cutout: str | None, drawn: tuple[str | None, ...]) -> None:
    """Refuse extensions that no format has, before anything is refined, or written beside what is refused."""
    from spnrefine.files import cutouts, rasters
    from spnrefine.review import pictures

    if target:
        rasters.format_named(target.suffix)
    if cutout:
        cutouts.format_of(Path(cutout).suffix)
    for name in filter(None, drawn):
        pictures.format_of(Path(name).suffix)


class _Later:
    """A refiner that is loaded when first called, and once: an empty mask needs none, one of many ids calls often."""

    takes_bools = True

    def __init__(self, model: str, device: str, threads: int, **how: Any):
        self._model, self._device, self._threads, self._how = model, device, threads, how

    def __call__(self, image: Any, coarse: Any) -> Any:
        return self._refiner(image, coarse)

    def share(self, image: Any, objects: Any) -> Any:
        return self._refiner.share(image, objects)

    @cached_property
    def _refiner(self) -> "Refiner":
        from spnrefine import Refiner

        with nothing_collected():
            return Refiner(self._model, self._device, self._threads, **self._how)
