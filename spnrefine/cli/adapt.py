"""``spnrefine adapt``: from a few photographs with good masks to how masks like theirs are refined best."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from spnrefine.cli.options import DEVICE, MAX_MEGAPIXELS, NETWORK, THREADS, model_option, option, section
from spnrefine.cli.paths import FILE, FOLDER
from spnrefine.cli.sections import Command
from spnrefine.cli.types import Number

if TYPE_CHECKING:
    from spnrefine.adapt.adapting import Adapted


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine adapt --images photos/ --masks good/ --out mine.safetensors
  spnrefine adapt --images photos/ --masks good/ --coarse coarse/ --out mine.safetensors
  spnrefine batch more/ --mask-dir coarse/ -o refined/ --model mine.safetensors
""",
)
@option("--images", type=FOLDER, required=True, help="The photographs, three at least.")
@option("--masks", type=FOLDER, required=True, help="Their good masks, or maps of ids, same stems.")
@option(
    "--coarse", type=FOLDER, help="Coarse masks such as will be refined, same stems; default: made of the good ones."
)
@option("--out", type=FILE, required=True, help="The weights to write (.safetensors).")
@option(
    "--minutes",
    type=Number(min=0),
    default=0,
    show_default=True,
    metavar="M",
    help="Also train for so long, on 20 pairs or more; new weights are kept only where they are better on others.",
)
@option("--overwrite", is_flag=True, help="Replace weights that exist.")
@option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@model_option("The refiner to adapt; the others that ship are tried beside it.")
@section(NETWORK, DEVICE, THREADS, MAX_MEGAPIXELS)
def adapt(
    images: Path,
    masks: Path,
    coarse: Path | None,
    out: Path,
    minutes: float,
    overwrite: bool,
    as_json: bool,
    model: str,
    device: str,
    threads: int | None,
) -> None:
    """Find out, on a few photographs with good masks, how masks like theirs are refined best.

    Coarse masks are refined by each refiner that ships, with several notions of how far off they are, and of each
    refined mask contours are taken part of the way, at several probabilities, farther in and out; or the masks are
    left alone. Chosen is what gains most for certain: the fewer the pairs and the more is tried, the more it has to
    gain. With --minutes, weights trained on three quarters of the pairs are tried beside the others on the rest. To
    what comes out a temperature is fitted (Guo et al. 2017), at which --soft writes. All is written into the weights,
    which refine, batch and eval take as --model.
    """
    if out.suffix != ".safetensors":
        raise click.UsageError(f"--out is {out}: expected a name that ends in .safetensors.")

    import json

    from spnrefine.cli import streams
    from spnrefine.cli.threads import count_threads, share_threads

    jobs = count_threads(threads)
    share_threads(jobs, jobs)
    from spnrefine.adapt import adapting
    from spnrefine.files import atomic
    from spnrefine.files.reserved import locked, prepare_folder
    from spnrefine.model import weights

    prepare_folder(out, [weights.find(model)], overwrite=overwrite)
    adapting.ways_for(model)
    with locked(out), TemporaryDirectory(prefix="spnrefine-") as folder:
        trained = Path(folder) / "trained.safetensors"
        found = _trained(images, masks, coarse, model, device, jobs, minutes, trained) if minutes else None
        kept = found is not None and found.uses_its_own
        if kept:
            assert found is not None
            adapted, model = found, str(trained)
        else:
            adapted = _adapted(images, masks, coarse, model, device, jobs)
        atomic.write_bytes(out, adapting.encoded(adapted, model), overwrite=overwrite)
    if as_json:
        streams.tell(json.dumps(adapting.facts(adapted) | {"trained": kept}))
        return
    if found is not None:
        streams.tell(f"Trained weights are {'kept' if kept else 'dropped: none are better on pairs held aside'}.")
    _show(adapted, out)


def _adapted(images: Path, masks: Path, coarse: Path | None, model: str, device: str, jobs: int) -> "Adapted":
    """Choose on the pairs of two folders how masks are refined."""
    from spnrefine.adapt import adapting
    from spnrefine.adapt.examples import read_examples
    from spnrefine.adapt.trials import gathered, try_all
    from spnrefine.cli import streams

    examples = read_examples(images, masks, coarse)
    adapting.check_enough(one.picture for one in examples)
    tried = try_all(examples, adapting.ways_for(model), model, device, jobs)
    adapted = adapting.adapt(gathered(streams.progress(tried, len(examples))))
    return adapting.with_temperature(adapted, model, examples, device)


def _trained(
    images: Path, masks: Path, coarse: Path | None, model: str, device: str, jobs: int, minutes: float, out: Path
) -> "Adapted":
    """Train on most of the pairs, write new weights to ``out``, and choose on those held aside among these and all."""
    from contextlib import redirect_stdout

    from spnrefine.adapt.held_aside import split_pairs
    from spnrefine.adapt.training import command
    from spnrefine.cli.train import train

    learnt, held = split_pairs(images, masks, out.parent / "pairs")
    with redirect_stdout(sys.stderr):
        try:
            train.main(command(learnt, model, minutes, out, device, jobs), standalone_mode=False)
        except SystemExit as ended:
            if ended.code:
                raise
    return _adapted(held / "images", held / "masks", coarse, str(out), device, jobs)


def _show(adapted: "Adapted", out: Path) -> None:
    from rich.table import Table

    from spnrefine.cli import streams

    console = streams.console()
    console.print(f"{adapted.pictures} photographs, {adapted.masks} coarse masks")
    table = Table("", "IoU before", "after", "error removed", "made worse", box=None)
    for name, each in (
        ("as usual", adapted.as_usual),
        ("as chosen", adapted.chosen),
        ("left one out", adapted.left_out),
    ):
        ious = (f"{1 - error:.4f}" for error in (each.before, each.after))
        table.add_row(name, *ious, f"{each.error_removed:.4f}", f"{100 * each.made_worse:.1f} %")
    console.print(table)
    for kind, choice in adapted.choices.items():
        console.print(f"{kind} masks: {choice.in_words()}")
    if adapted.fitted is not None:
        temperature, before, after = adapted.fitted
        likelihoods = f"negative log likelihood near the contour {before:.4f} at 1, {after:.4f} left one out"
        console.print(f"--soft: probabilities at a temperature of {temperature:g} ({likelihoods})")
    if adapted.leaves_alone:
        console.print(
            "Nothing that was tried is better for certain: with these weights such masks come back as they came."
        )
    streams.tell(str(out))
