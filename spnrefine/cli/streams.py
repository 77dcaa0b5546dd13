"""Standard input and output: what ``-`` stands for, and what may go where."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from spnrefine.errors import FileError

if TYPE_CHECKING:
    from rich.console import Console

Item = TypeVar("Item")

STREAM = "-"
WIDTH = 200  # of tables that do not go to a terminal: none of their columns is cut


def read_stdin() -> bytes:
    """Read all of standard input; wrong usage when that is a terminal."""
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("'-' reads standard input, which is a terminal: pipe a file into it or name one.")
    return sys.stdin.buffer.read()


def read_list(name: str, separator: str) -> list[str]:
    """Read the names in a file, or in standard input where ``name`` is ``-``, each ended by ``separator``."""
    if name == STREAM:
        data = read_stdin()
    else:
        from spnrefine.files.opening import read_bytes

        data = read_bytes(Path(name))
    items = data.split(separator.encode())
    if separator == "\n":
        items = [item.removesuffix(b"\r") for item in items]
    return [os.fsdecode(item) for item in items if item]


def check_stdout_takes_bytes() -> None:
    if sys.stdout.isatty():
        raise click.UsageError("The mask would go to a terminal: redirect it to a file or give -o FILE.")


def write_stdout(data: bytes) -> None:
    """Write bytes to standard output, all of them or an error.

    Raises
    ------
    BrokenPipeError: the reader has gone. FileError: anything else, such as a full disc.
    """
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileError(f"Standard output cannot be written ({os.strerror(error.errno or 0)}).") from None


def tell(text: str) -> None:
    """Print a line with paths in it, as the bytes that they are: a path need not be text in any encoding."""
    click.echo(os.fsencode(text))


def say(text: str) -> None:
    """Tell the user something on standard error."""
    click.echo(text, err=True)


def progress(items: Iterable[Item], total: int) -> Iterable[Item]:
    """Show a bar on standard error while ``items`` are gone through; none off a terminal or where CI is set."""
    from tqdm import tqdm

    return tqdm(
        items, total=total, unit="image", disable=True if os.environ.get("CI") else None, leave=False, file=sys.stderr
    )


def console() -> "Console":
    """Return a console on standard output for tables."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
