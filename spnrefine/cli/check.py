"""``spnrefine check``: which masks of a folder are likely to be wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spnrefine.cli.options import (
    DEVICE,
    MAX_MEGAPIXELS,
    NETWORK,
    OVERWRITE,
    THREADS,
    WRITING,
    model_option,
    option,
    section,
)
from spnrefine.cli.paths import FOLDER
from spnrefine.cli.sections import Command

if TYPE_CHECKING:
    from spnrefine import Refiner
    from spnrefine.batch.pairing import Pair
    from spnrefine.job.record import Record
    from spnrefine.job.types import Refined

SHOWN = "image", "mask", "status", "quality_before", "quality_after", "changed", "error"


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine check photos/ --mask-dir masks/
  spnrefine check photos/ --mask-dir masks/ --json | head -20 | jq -r .mask
  spnrefine check photos/ --mask-dir masks/ --doubt doubts/
""",
)
@click.argument("folder", metavar="DIR", type=FOLDER)
@option(
    "--mask-dir",
    type=FOLDER,
    help="Folder of the masks, same tree and stems; default DIR/masks, or else STEM_mask.* beside the photos.",
)
@option(
    "--mask-pattern",
    metavar="PATTERN",
    help="Names of the masks, there or beside the photos, as of batch: '{stem}_mask.png', '../labels/{stem}.tif'.",
)
@option("--labels", is_flag=True, help="Take an 8-bit gray mask for ids, not for probabilities.")
@option("--json", "as_json", is_flag=True, help="Print a JSON object a line, for each mask.")
@section(
    WRITING,
    option("--doubt", type=FOLDER, help="Also write where the masks may be wrong, as 8-bit gray PNG."),
    OVERWRITE,
)
@model_option("The refiner whose masks are compared.")
@section(NETWORK, DEVICE, THREADS, MAX_MEGAPIXELS)
def check(
    folder: Path,
    mask_dir: Path | None,
    mask_pattern: str | None,
    labels: bool,
    as_json: bool,
    doubt: Path | None,
    overwrite: bool,
    model: str,
    device: str,
    threads: int | None,
) -> int:
    """Rank the masks of all photographs in DIR by how good they look, worst first; none is changed.

    quality_before is the IoU with the truth that is expected of a mask, quality_after of what refining would make of
    it. Of a map of ids both are means over the first twelve of them. Masks that cannot be read come first, and the exit
    code is 1. Photographs without a mask are counted.
    """
    import json

    from spnrefine.cli import streams
    from spnrefine.cli.threads import count_threads, share_threads

    share = share_threads(count_threads(threads))
    from spnrefine import Refiner
    from spnrefine.batch.pairing import find_pairs
    from spnrefine.batch.pairs import Rules
    from spnrefine.batch.patterns import Pattern

    nowhere = folder.absolute().with_name(f".{folder.absolute().name}.checked")  # nothing is written
    pattern = None if mask_pattern is None else Pattern(mask_pattern, "--mask-pattern")
    found = find_pairs(folder, Rules(mask_dir, pattern), nowhere).pairs
    pairs = [pair for pair in found if not pair.without]
    if len(pairs) < len(found):
        streams.say(f"Photographs without a mask: {len(found) - len(pairs)} of {len(found)}.")
    refiner = Refiner(model, device, share)
    write = None if doubt is None else _Doubts(doubt, nowhere, pairs, overwrite=overwrite)
    records = list(streams.progress(_records(pairs, refiner, write, labels=labels), len(pairs)))
    records.sort(key=_order)
    for record in records:
        values = record.as_dict()
        if as_json:
            streams.tell(json.dumps({name: values[name] for name in SHOWN}))
        else:
            before, after = (_figure(values[name]) for name in ("quality_before", "quality_after"))
            error = f": {record.error}" if record.error else ""
            streams.tell_fields(before, after, f"{record.mask or record.image}{error}")
    return int(any(record.error for record in records))


class _Doubts:
    """Writes where coarse masks may be wrong, into a tree like that of the photographs."""

    def __init__(self, folder: Path, output: Path, pairs: "list[Pair]", *, overwrite: bool):
        from spnrefine.batch.pairs import all_inputs
        from spnrefine.files.inputs import Inputs

        self._folder, self._output, self._overwrite = folder, output, overwrite
        self._inputs = Inputs(all_inputs(pairs))

    def __call__(self, pair: "Pair", refined: "Refined") -> None:
        from spnrefine.files import atomic
        from spnrefine.job.doubts import doubts
        from spnrefine.review import pictures

        path = self._folder / pair.folder.relative_to(self._output) / f"{pair.stem}.png"
        data = pictures.encode(doubts(refined, coarse=True), ".png")
        atomic.write_bytes(path, data, overwrite=self._overwrite, inputs=self._inputs)


def _records(pairs: "list[Pair]", refiner: "Refiner", write: _Doubts | None, *, labels: bool) -> "Iterator[Record]":
    from spnrefine.batch.portion import failed
    from spnrefine.errors import SpnRefineError
    from spnrefine.job import job
    from spnrefine.job.record import Record

    settings = job.Settings(labels=labels or None)
    for pair in pairs:
        record = Record(str(pair.photograph), None if pair.mask is None else str(pair.mask))
        try:
            if pair.problem:
                raise SpnRefineError(pair.problem)
            refined = job.refine(job.load(pair.photograph, pair.mask, settings), refiner, settings, record)
            if write is not None:
                write(pair, refined)
        except Exception as error:  # whatever is wrong with one file, the others are ranked
            record = failed(record, error)
        yield record


def _order(record: "Record") -> tuple[bool, float, str]:
    """Failed first, then by rising quality; a mask without a contour, of which nothing is known, comes last."""
    return record.error is None, 2.0 if record.quality_before is None else record.quality_before, record.image


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
