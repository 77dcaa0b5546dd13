"""Options that several commands share, and how an option is declared here."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from spnrefine.cli.completion import values_of

Command = TypeVar("Command", bound=Callable[..., Any])


def option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """Declare an option that may also come from the variable SPNREFINE_NAME, named after the option alone."""
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    variable = "SPNREFINE_" + long.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=variable, shell_complete=values_of(settings.get("metavar", "")), **settings)


class Number(click.FloatRange):
    """A number in a range; NaN, which compares with nothing, is none."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        number: float = super().convert(value, parameter, context)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", parameter, context)
        return number


BEST = option("--best", is_flag=True, help="Average over the mirror image too: a little better, twice the time.")


def model_options(command: Command) -> Command:
    """Add --model and --device."""
    command = option("--model", default="general", show_default=True, metavar="NAME|PATH", help="The refiner.")(command)
    return _device(command)


def maker_options(command: Command) -> Command:
    """Add --model, --backbone, --class and --device, where masks may have to be made."""
    for add in reversed(
        (
            option(
                "--model",
                default="general",
                show_default=True,
                metavar="NAME|PATH",
                help="The refiner, or a model that makes label maps, such as face.",
            ),
            option(
                "--backbone", metavar="NAME|PATH", help="What makes the mask where none is given.  [default: object]"
            ),
            option("--class", "only", metavar="NAME", help="Of a label map, write the mask of this class alone."),
            _device,
        )
    ):
        command = add(command)
    return command


def _device(command: Command) -> Command:
    return option(
        "--device",
        default="auto",
        show_default=True,
        metavar="auto|cpu|cuda[:N]",
        help="Where the network runs; auto is CUDA where there is a device, else the CPU.",
    )(command)


def output_options(command: Command) -> Command:
    """Add what says how refined masks are made and written."""
    for add in reversed(
        (
            option("--soft", is_flag=True, help="Write probabilities (8-bit gray) instead of a hard mask."),
            option(
                "--threshold",
                type=Number(0, 1),
                default=0.5,
                show_default=True,
                help="The object is where the probability is above this.",
            ),
            option("--labels", is_flag=True, help="Take an 8-bit gray mask for ids, not for probabilities."),
            option("--void", type=int, metavar="ID", help="Value left untouched; default 255 where there are ids."),
            option("--resize-mask", is_flag=True, help="Resize a mask whose size differs from the photograph's."),
            option("--quick", is_flag=True, help="See large objects once, not again and closer along the contour."),
            BEST,
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
                help="Keep the coarse mask where more than this share of its area would change.",
            ),
            option("--keep-topology", is_flag=True, help="Keep the number of parts and holes."),
            option("--overwrite", is_flag=True, help="Replace outputs that exist; inputs are never overwritten."),
        )
    ):
        command = add(command)
    return command


def path(**settings: Any) -> click.Path:
    return click.Path(path_type=Path, **settings)


def is_folder(output: str) -> bool:
    """Tell whether an output is meant as a folder: there is one of that name, or it ends in a slash."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir()
