"""Options that several commands share, and how options are declared here: one by one, or a section of them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from spnrefine.cli.sections import FIRST, Option
from spnrefine.cli.types import BandNumbers, Device, Distance, Model, Number, NumberOrAuto, Resizing, Void

Command = TypeVar("Command", bound=Callable[..., Any])


def option(*names: str, **settings: Any) -> Callable[..., Any]:
    """Declare an option that may also come from the variable SPNREFINE_NAME, named after the option alone."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    variable = "SPNREFINE_" + long.removeprefix("--").replace("-", "_").upper()

    def add(command: Command, section: str = FIRST) -> Command:
        return click.option(*names, cls=Option, section=section, envvar=variable, **settings)(command)

    return add


def section(name: str, *options: Callable[..., Any]) -> Callable[[Command], Command]:
    """Declare options that help shows under a heading."""

    def add(command: Command) -> Command:
        for each in reversed(options):
            command = each(command, section=name)
        return command

    return add


def model_option(text: str) -> Callable[..., Any]:
    return option("--model", type=Model(), default="general", show_default=True, help=text)


def device_option(text: str) -> Callable[..., Any]:
    return option("--device", type=Device(), default="auto", show_default=True, help=text)


def _set_max_megapixels(context: click.Context, parameter: click.Parameter, megapixels: int | None) -> None:
    from spnrefine.files.limits import MEGA, set_max_pixels

    if megapixels is not None and not context.resilient_parsing:
        set_max_pixels(megapixels * MEGA)
        context.call_on_close(lambda: set_max_pixels(None))


STRENGTH = option(
    "--strength",
    type=NumberOrAuto(0, 1),
    show_default="auto",
    metavar="S|auto",
    help="How far the contour goes from the coarse (0) to the refined one (1); auto is all the way, but for hard masks "
    "that seem to be right already.",
)
OFF = option(
    "--off",
    type=Distance(),
    show_default="auto",
    metavar="PX|N%|auto",
    help="How far off the mask's edge may be, in pixels or in percent of the object's size; 0 changes nothing, auto "
    "lets the network see for itself.",
)
CAREFUL = option(
    "--careful",
    is_flag=True,
    help="Keep coarse masks of which little is expected to be gained; more than auto does.",
)
THREADS = option(
    "--threads",
    type=click.IntRange(1),
    show_default="one a core, or what NUMBA_NUM_THREADS or OMP_NUM_THREADS says",
    metavar="N",
    help="Use at most N threads of the CPU, all together.",
)
MAX_MEGAPIXELS = option(
    "--max-megapixels",
    type=click.IntRange(1),
    show_default="250",
    metavar="N",
    expose_value=False,
    callback=_set_max_megapixels,
    help="Refuse pictures of more than N million pixels, and files that would take more memory than such a picture.",
)
BEST = option(
    "--best", is_flag=True, help="Average over the mirror image too: a little better, in twice the time or more."
)
DEVICE = device_option("Where the network runs; auto is CUDA where there is a device, else the CPU.")
OVERLAY_STYLE = option(
    "--overlay-style",
    type=click.Choice(("tint", "outline")),
    default="tint",
    show_default=True,
    help="How masks are drawn: their pixels tinted, or their contours alone.",
)
WRITING, NETWORK, MAY_CHANGE = "What is written", "How the network runs", "How much may change"
OVERWRITE = option("--overwrite", is_flag=True, help="Replace outputs that exist; inputs are never overwritten.")

_MEANING = section(
    "What masks mean",
    option(
        "--labels/--no-labels",
        default=None,
        help="Take gray masks, and whole numbers in floats, for ids; or gray for probabilities.  [default: by its "
        "values]",
    ),
    option("--void", type=Void(), help="Value left untouched; none: no value is.  [default: 255 among ids of 8 bits]"),
    option(
        "--resize-mask",
        type=Resizing(),
        is_flag=False,
        flag_value=Resizing.PLAIN,
        default=False,
        help="Resize a mask of the photograph's proportions; letterbox: cut off the zeros around it first.",
    ),
)
_SEEING = section(
    "What photographs mean",
    option(
        "--bands",
        type=BandNumbers(),
        metavar="R,G,B",
        help="Bands of a TIFF photograph that are seen as red, green and blue, as in 4,3,2; default 1,2,3.",
    ),
)
_THRESHOLD = option(
    "--threshold",
    type=Number(0, 1, max_open=True),
    default=0.5,
    show_default=True,
    metavar="P",
    help="The object is where the probability is above this.",
)
_RESTRAINT = section(
    MAY_CHANGE,
    STRENGTH,
    OFF,
    CAREFUL,
    option(
        "--band",
        type=Number(min=0),
        metavar="PX",
        help="Change only pixels this near to the coarse contour; 1 is beside it, 0 changes nothing.",
    ),
    option(
        "--max-change",
        type=Number(min=0),
        metavar="SHARE",
        help="Leave a part as it came where more than this share of its area would change.",
    ),
    option("--keep-topology", is_flag=True, help="Keep the number of parts and holes."),
)
_RUNNING = section(
    NETWORK,
    option("--quick", is_flag=True, help="See large objects once, not again and closer along the contour."),
    option("--wrap", is_flag=True, help="A panorama of 360 degrees: its left and right borders meet."),
    BEST,
    DEVICE,
    THREADS,
    MAX_MEGAPIXELS,
)


def _all(*options: Callable[..., Any]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for each in reversed(options):
            command = each(command)
        return command

    return add


def acting_options(command: Command) -> Command:
    """Add the sections of the options that say how masks are refined, however they are read."""
    return _all(section(MAY_CHANGE, _THRESHOLD), _RESTRAINT, _RUNNING)(command)


def changing_options(command: Command) -> Command:
    """Add the sections of all options that change a refined mask: what is measured is what these make of it."""
    return _all(_MEANING, _SEEING, acting_options)(command)


def refining_options(command: Command) -> Command:
    """Add --model and the sections that say how masks are read, made, refined and written."""
    return _all(
        model_option("The refiner, or a model that makes label maps, such as face."),
        _MEANING,
        _SEEING,
        section(
            WRITING,
            option(
                "--soft", is_flag=True, help="Write probabilities instead of a hard mask: 8-bit gray, or RGBA's alpha."
            ),
            option("--alpha", is_flag=True, help="Write a matte: how much of each pixel the object covers."),
            option("--matting", type=Model(), default="matte", show_default=True, help="What makes the matte."),
            _THRESHOLD,
            OVERWRITE,
        ),
        _RESTRAINT,
        _RUNNING,
        section(
            "Where no mask is given",
            option("--backbone", type=Model(), show_default="object", help="What makes the mask."),
            option("--class", "only", metavar="NAME", help="Of a label map, write the mask of this class alone."),
        ),
    )(command)


def check_kinds(*, soft: bool, alpha: bool) -> None:
    """Refuse two kinds of mask at once."""
    if soft and alpha:
        raise click.UsageError("--soft and --alpha were both given: give one, for probabilities or for a matte.")


def is_folder(output: str) -> bool:
    """Tell whether an output is meant as a folder: there is one of that name, or it ends in a slash."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir()
