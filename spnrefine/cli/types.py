"""What the values of options are, and what the shell offers for them."""

import math
import os
from typing import Any

import click
from click.shell_completion import CompletionItem


class Number(click.FloatRange):
    """A number in a range; NaN, which compares with nothing, is none."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        number: float = super().convert(value, parameter, context)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", parameter, context)
        return number


class BandNumbers(click.ParamType):
    """Numbers of bands, counted from 1: three, or one that is seen as gray."""

    name = "bands"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        numbers = tuple(map(_whole, value.split(",")))
        if len(numbers) not in (1, 3) or min(numbers) < 1:
            self.fail(f"{value!r} is neither three numbers of bands, as in 4,3,2, nor one.", parameter, context)
        return numbers


def _whole(text: str) -> int:
    """Read a whole number; 0 where it is none, or has so many digits that nothing has so many of."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) < 10 else 0


class NumberOrAuto(Number):
    """A number in a range, or auto, which is None."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        return None if value == "auto" else super().convert(value, parameter, context)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return click.Choice(("auto",)).shell_complete(ctx, param, incomplete)


class Distance(click.ParamType):
    """How far off a mask's edge may be, see `spnrefine.refiner.off`; auto is None."""

    name = "distance"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        from spnrefine.errors import SpnRefineError
        from spnrefine.refiner.off import Off

        try:
            return Off.of(value)
        except SpnRefineError as error:
            self.fail(str(error), parameter, context)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return click.Choice(("auto",)).shell_complete(ctx, param, incomplete)


class Failures(click.ParamType):
    """How many may fail: a whole number, or a share of all, such as 1% or 0.01."""

    name = "failures"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "N|SHARE"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> int | float:
        if isinstance(value, int | float):
            return value
        try:
            if value.endswith("%"):
                most = float(value.removesuffix("%")) / 100
            else:
                most = int(value) if value.isdecimal() else float(value)
        except ValueError:
            most = -1
        if not 0 <= most < math.inf or (isinstance(most, float) and most > 1):
            self.fail(f"{value!r} is neither a number, as in 5, nor a share, as in 1%.", parameter, context)
        return most


class Radii(click.ParamType):
    """Whole numbers of pixels, one at least, with commas between."""

    name = "radii"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        radii = tuple(map(_whole, str(value).split(",")))
        if not all(radii):
            self.fail(f"{value!r} is no list of pixels: give whole numbers from 1 on, as in 1,2,3.", parameter, context)
        return radii


class Distances(click.ParamType):
    """Numbers of pixels, with commas between."""

    name = "distances"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            numbers = (math.nan,)
        if not all(0 <= number < math.inf for number in numbers):
            self.fail(f"{value!r} is no list of pixels: give numbers from 0 on, as in 1,2.5.", parameter, context)
        return numbers


class Model(click.ParamType):
    """Weights: a file, or the name of a model that ships."""

    name = "model"
    envvar_list_splitter = os.pathsep  # as between paths, which hold spaces

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "NAME|PATH"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer files first: at their mark click's script for bash forgets all before it."""
        from spnrefine.model import weights

        names = [CompletionItem(name, help="ships") for name in weights.available() if name.startswith(incomplete)]
        return [CompletionItem(incomplete, type="file"), *names]


class Names(click.types.StringParamType):
    """Names with commas between them; spaces part none, in a variable neither."""

    def split_envvar_value(self, rv: str) -> list[str]:
        return [rv] if rv else []


class Device(click.ParamType):
    """Where a network runs; whether there is such a device, torch says later."""

    name = "device"
    _choices = click.Choice(("auto", "cpu", "cuda"))

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "auto|cpu|cuda[:N]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return self._choices.shell_complete(ctx, param, incomplete)


class Void(click.ParamType):
    """An id, or ``none``."""

    name = "id"
    NONE = "none"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "ID|none"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if isinstance(value, int) or str(value).lower() == self.NONE:
            return value if isinstance(value, int) else self.NONE
        try:
            return int(value)
        except ValueError:
            self.fail(f"{value!r} is no id: give a whole number, or none.", parameter, context)


class Resizing(click.ParamType):
    """How a mask of another size is made to fit: not at all, plainly, or freed of a letterbox's padding first.

    The option may be given without a value, as a flag; see `spnrefine.cli.sections.Command`.
    """

    name = "resizing"
    PLAIN, LETTERBOX = "plain", "letterbox"
    values = (PLAIN, LETTERBOX)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return "[letterbox]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(self.LETTERBOX)]

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if isinstance(value, bool) or value == self.LETTERBOX:
            return value
        if value == self.PLAIN:
            return True
        try:
            return click.BOOL.convert(value, parameter, context)  # a variable may say 1, yes or off
        except click.BadParameter:
            self.fail(f"{value!r} is neither {self.PLAIN} nor {self.LETTERBOX}.", parameter, context)
