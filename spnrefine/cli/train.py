"""``spnrefine train``: weights from photographs with exact masks or label maps."""

from typing import Any

import click

from spnrefine.cli.options import MAX_MEGAPIXELS, device_option, option, section
from spnrefine.cli.paths import FILE, FOLDER
from spnrefine.cli.sections import Command
from spnrefine.cli.types import Model


@click.command(
    cls=Command,
    epilog="""\b
Examples:
  spnrefine train --data sets/ --from general --minutes 60 --out better.safetensors
  spnrefine train --images photos/ --masks masks/ --imagenet lite0.pth --steps 20000 --out mine.safetensors
  spnrefine train --task labels --images photos/ --masks ids/ --from general --steps 2000 --out labels.safetensors
  spnrefine train --task object --images photos/ --masks masks/ --imagenet lite0.pth --steps 3000 --out o.safetensors
  spnrefine train --data sets/ --void street=11 --steps 500 --set learning_rate=1e-3 --out trial.safetensors
""",
)
@option(
    "--task",
    type=click.Choice(["binary", "labels", "object", "matte"]),
    default="binary",
    show_default=True,
    help="A refiner of masks, a model of label maps, a backbone that finds objects, or mattes of masks.",
)
@option("--data", type=FOLDER, help="Folder of sets, each with images/ and masks/ or labels/.")
@option("--images", type=FOLDER, help="Folder of photographs, instead of --data.")
@option("--masks", type=FOLDER, help="Folder of their masks, with the same stems.")
@option("--out", type=FILE, required=True, help="The weights to write (.safetensors).")
@option("--from", "start", type=Model(), help="Carry on from these weights, of what is trained here.")
@option("--steps", type=click.IntRange(min=1), metavar="N", help="How many steps to train.")
@option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="How long to train, instead of --steps.",
)
@section(
    "What it learns from",
    option(
        "--coarse",
        type=FOLDER,
        multiple=True,
        help="Folder of masks that a network made of the photographs, to learn from its mistakes too; with --data a "
        "folder of such, named like the sets.",
    ),
    option("--labels", is_flag=True, help="The files in --masks hold class ids; objects are random unions of classes."),
    option("--classes", type=FILE, help="For label maps: lines of 'name: id id ...', background first."),
    option("--void", multiple=True, show_default="255", metavar="[SET=]ID", help="Id of pixels that do not count."),
    option(
        "--max-pairs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Read at most so many pairs, evenly taken: for trials.",
    ),
)
@section(
    "What is trained, and how",
    option("--encoder-alone", is_flag=True, help="Take of weights of another kind (--from) what sees the photograph."),
    option("--imagenet", type=FILE, help="Start from an EfficientNet-Lite0 state dict (.pth)."),
    option("--base", type=Model(), help="For label maps: take the base parser of this model of them."),
    option("--network", multiple=True, metavar="NAME=NUMBER", help="Another network: channels=8, taps=1, rounds=1 ..."),
    option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change a number of the recipe."),
    option(
        "--seed", type=click.IntRange(min=0), default=0, show_default=True, metavar="N", help="Of everything random."
    ),
    option("--terms", metavar="TEXT", help="On what terms the weights may be used, to be written into them."),
)
@section(
    "How it runs",
    option("--resume", is_flag=True, help="Carry on an interrupted run: the same command again, and this."),
    option(
        "--checkpoint-minutes",
        type=click.FloatRange(min=0),
        default=5.0,
        show_default=True,
        metavar="MINUTES",
        help="How often to save.",
    ),
    option("--overwrite", is_flag=True, help="Replace weights, or the checkpoint of an unfinished run, that exist."),
    device_option("Where to train."),
    option("--threads", type=click.IntRange(min=1), show_default="one a core", metavar="N", help="CPU threads."),
    MAX_MEGAPIXELS,
)
def train(**options: Any) -> None:
    """Train a refiner, a backbone or a model of label maps on photographs with exact masks.

    An interrupted run (Ctrl-C, or the end of the machine) leaves FILE.checkpoint behind; --resume carries it on. The
    numbers that can be --set, and what they mean, stand in spnrefine/train/recipe.py.
    """
    _check_usage(options)
    import torch

    from spnrefine.model.inference import resolve_device
    from spnrefine.simd import cores
    from spnrefine.train.command import Options, train_command

    threads = options["threads"] or min(torch.get_num_threads(), cores.threads())
    device = torch.device(resolve_device(options["device"]))
    raise SystemExit(train_command(Options(**options | {"threads": threads, "device": device})))


def _check_usage(options: dict[str, Any]) -> None:
    if (options["data"] is None) == (options["images"] is None):
        raise click.UsageError("Exactly one of --data and --images is needed: give --data, or --images with --masks.")
    if (options["images"] is None) != (options["masks"] is None):
        raise click.UsageError("Only one of --images and --masks was given: give both.")
    if (options["steps"] is None) == (options["minutes"] is None):
        raise click.UsageError("Exactly one of --steps and --minutes is needed: give one.")
    if options["start"] is not None and options["imagenet"] is not None:
        raise click.UsageError("--from and --imagenet were both given: give one.")
    if options["classes"] is not None and options["task"] != "labels":
        raise click.UsageError(f"--classes was given with --task {options['task']}: expected --task labels.")
    if options["base"] is not None and options["task"] != "labels":
        raise click.UsageError(f"--base was given with --task {options['task']}: expected --task labels.")
    if options["coarse"] and options["task"] != "binary":
        raise click.UsageError(f"--coarse was given with --task {options['task']}: expected --task binary.")
    if options["out"].suffix != ".safetensors":
        raise click.UsageError(f"--out is {options['out']}: expected a name that ends in .safetensors.")
