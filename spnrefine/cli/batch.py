"""``spnrefine batch DIR``: refine a folder."""

from pathlib import Path
from typing import Any

import click

from spnrefine.cli.options import model_options, option, output_options, path
from spnrefine.cli.streams import progress, say

MOST_JOBS = 8  # by default: each takes a few hundred megabytes


@click.command(
    epilog="""\b
Examples:
  spnrefine batch photos/ --mask-dir masks/ -o refined/
  spnrefine batch photos/ -o refined/               masks are in photos/masks
  spnrefine batch photos/ --mask-dir masks/ -o refined/ --json | jq 'select(.status == "failed")'
"""
)
@click.argument("folder", metavar="DIR", type=path())
@option(
    "--mask-dir", metavar="DIR", type=path(), help="Folder of the coarse masks, same tree and stems; default DIR/masks."
)
@option("-o", "--output", metavar="DIR", type=path(), required=True, help="Folder of the refined masks.")
@output_options
@option("--overlay", metavar="DIR", type=path(), help="Also draw each refined mask over its photograph, as JPEG.")
@option("--jobs", type=click.IntRange(1), help="Images worked on at once.  [default: one a core, at most 8]")
@option("--json", "as_json", is_flag=True, help="Print a JSON record a line for each photograph.")
@model_options
def batch(
    folder: Path,
    mask_dir: Path | None,
    output: Path,
    overlay: Path | None,
    jobs: int | None,
    as_json: bool,
    model: str,
    device: str,
    **how: Any,
) -> int:
    """Refine the masks of all photographs in DIR and its sub-folders.

    The tree and the stems are kept. A file that fails does not stop the rest: each is named at the end, and the exit
    code is 1.
    """
    import json
    from collections import Counter

    from spnrefine import Refiner
    from spnrefine.batch import job
    from spnrefine.batch.pairing import Pair, find_pairs
    from spnrefine.batch.run import run
    from spnrefine.files import atomic
    from spnrefine.ops import cores
    from spnrefine.review import pictures

    settings = job.Settings.of(**how)

    def draw(pair: Pair, loaded: job.Loaded, refined: job.Refined) -> None:
        if overlay:
            target = overlay / pair.folder.relative_to(output) / f"{pair.stem}.jpg"
            picture = pictures.encode(pictures.overlay(loaded.image, refined.after), ".jpg")
            atomic.write_bytes(target, picture, overwrite=settings.overwrite, inputs=pair.inputs)

    pairs = find_pairs(folder, mask_dir, output)
    jobs = jobs or min(cores.available(), MOST_JOBS)
    refiner = Refiner(model, device, threads=max(1, cores.available() // jobs))
    records = run(pairs, refiner, settings, jobs=jobs, also=draw)
    failed, counts = [], Counter[str]()
    for record in progress(records, len(pairs)):
        counts[record.status] += 1
        if record.status == "failed":
            failed.append(record)
        if as_json:
            click.echo(json.dumps(record.as_dict()))
    for record in failed:
        say(f"Failed: {record.image}: {record.error}")
    say(", ".join(f"{count} {status}" for status, count in sorted(counts.items())) + f" of {len(pairs)}.")
    return 1 if failed else 0
