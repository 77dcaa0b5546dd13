"""What the shell offers as values of an option: files, folders, models or devices, told by the option's metavar.

Where both files and names are offered, files come first: at their mark click's script for bash forgets all before it.
"""

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

MODEL, FILES, FOLDER = "NAME|PATH", {"FILE", "PATH", "IMAGE", "MASK"}, "DIR"


def values_of(metavar: str) -> Complete | None:
    """Return what completes values such as FILE, DIR|FILE, NAME|PATH or auto|cpu; None where nothing is offered."""
    kinds = metavar.strip("[]").split("|")
    if metavar == MODEL:
        return _models
    if FILES & set(kinds):
        return _files
    if FOLDER in kinds:
        return _folders
    named = [kind.partition("[")[0] for kind in kinds]
    return _choices(named) if len(named) > 1 and all(name.islower() for name in named) else None


def default_command(group: click.Group, command: click.Command, ctx: click.Context, incomplete: str) -> Any:
    """Return what ``command`` completes where no command is named."""
    with command.make_context(command.name, [], parent=ctx, resilient_parsing=True) as own:
        if incomplete.startswith("-"):
            known = {name for parameter in group.get_params(ctx) for name in parameter.opts}
            return [item for item in command.shell_complete(own, incomplete) if item.value not in known]
        argument = next(parameter for parameter in command.params if isinstance(parameter, click.Argument))
        return argument.shell_complete(own, incomplete)


def _files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]


def _folders(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="dir")]


def _models(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from spnrefine.model import weights

    names = [CompletionItem(name, help="ships") for name in weights.available() if name.startswith(incomplete)]
    return [*_files(ctx, parameter, incomplete), *names]


def _choices(names: list[str]) -> Complete:
    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete
