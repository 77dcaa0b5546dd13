"""Standard input and output: what ``-`` stands for, and what may go where."""

import codecs
import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from spnrefine.errors import FileError, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Item = TypeVar("Item")

STREAM = "-"
MOST_NAMED = 3
SECONDS_A_LINE = 30  # of progress, off a terminal
WIDTH = 200  # of tables that do not go to a terminal: none of their columns is cut


def read_stdin() -> bytes:
    """Read all of standard input, or one byte too many; wrong usage when that is a terminal, or closed."""
    if sys.stdin is None or sys.stdin.isatty():
        what = "closed" if sys.stdin is None else "a terminal"
        raise click.UsageError(f"'-' reads standard input, which is {what}: pipe a file into it or name one.")
    from spnrefine.files.limits import Content, max_bytes

    return sys.stdin.buffer.read(max_bytes(Content.PICTURE) + 1)


def read_list(name: str, separator: str) -> list[str]:
    """Read the names in a file, or in standard input where ``name`` is ``-``, each ended by ``separator``.

    Lines may begin with a byte order mark, and be UTF-16 where that says so, as PowerShell writes them.
    """
    from spnrefine.files.limits import Content, check_bytes
    from spnrefine.files.opening import read_bytes
    from spnrefine.files.regular import is_file

    if name == STREAM:
        data = read_stdin()
        check_bytes(len(data), Content.TEXT, "standard input")
    else:
        path = Path(name)
        empty = is_file(path) and not path.stat().st_size  # which a list may be, of an empty night
        data = b"" if empty else read_bytes(path, Content.TEXT)
    if separator == "\n":
        data = _without_mark(data)
    items = data.split(separator.encode())
    if separator == "\n":
        items = [item.removesuffix(b"\r") for item in items]
    return [os.fsdecode(item) for item in items if item]


def _without_mark(data: bytes) -> bytes:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return os.fsencode(data.decode("utf-16", "replace"))
    return data.removeprefix(codecs.BOM_UTF8)


def check_stdout_takes_bytes() -> None:
    if sys.stdout is None:
        raise click.UsageError("The mask would go to standard output, which is closed: give -o FILE.")
    if sys.stdout.isatty():
        raise click.UsageError("The mask would go to a terminal: redirect it to a file or give -o FILE.")


@contextmanager
def checked_stdout() -> Iterator[None]:
    """Tell what is wrong with standard output where writing to it fails.

    Raises
    ------
    BrokenPipeError
        The reader has gone.
    FileError
        Anything else, such as a full disc.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileError(
            f"Standard output cannot be written ({os.strerror(error.errno or 0)}): check where it goes."
        ) from None


def write_stdout(data: bytes) -> None:
    """Write bytes to standard output, all of them or an error, see `checked_stdout`."""
    with checked_stdout():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def flush_stdout() -> None:
    """Write what is still held back for standard output, or an error, see `checked_stdout`."""
    if sys.stdout is not None:
        with checked_stdout():
            sys.stdout.flush()


def drop_stdout() -> None:
    """Forget what is still held back for standard output: at exit nothing must fail on it again."""
    _drop(sys.stdout)


def drop_stderr() -> None:
    """Forget what standard error does not take: at exit the interpreter would fail on it, with a code of its own."""
    _drop(sys.stderr)


def _drop(stream: TextIO | None) -> None:
    try:
        stream.flush()  # type: ignore[union-attr]
    except (OSError, ValueError, AttributeError):  # full or broken; closed; none
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]


def tell(text: str) -> None:
    """Print a line of the result, errors as in `checked_stdout`; where standard output is closed, nothing.

    Paths in it go out as the bytes that they are, as a path need not be text in any encoding; but on a terminal, as
    what is `printable` of them.
    """
    _write_line(printable(text) if is_terminal(sys.stdout) else text)


def tell_fields(*fields: object) -> None:
    """Print a line of fields with tabs between them, each as it is `printable`.

    Off a terminal, where another program reads them, bytes of names that are no text go out as they are.
    """
    shown = printable if is_terminal(sys.stdout) else _but_for_bytes
    _write_line("\t".join(shown(str(field)) for field in fields))


def _but_for_bytes(text: str) -> str:
    parts = re.split("([\udc80-\udcff]+)", text)  # what is between these is text
    return "".join(part if number % 2 else printable(part) for number, part in enumerate(parts))


def _write_line(text: str) -> None:
    if sys.stdout is not None:
        try:
            data = os.fsencode(text)
        except UnicodeEncodeError:  # half of a character, which an annotation file may hold and no path can
            data = text.encode("utf-8", "backslashreplace")
        write_stdout(data + b"\n")


def say(text: str) -> None:
    """Tell the user something on standard error, if anybody can be told."""
    with suppress(OSError):
        click.echo(printable(text), err=True)


def add_row(table: "Table", *cells: str, style: str | None = None) -> None:
    """Add a row whose cells are taken as they are `printable`, none of it as markup."""
    from rich.text import Text

    table.add_row(*(Text(printable(cell)) for cell in cells), style=style)


def few(names: Sequence[str]) -> str:
    """List the first names of many."""
    return ", ".join(names[:MOST_NAMED]) + (" ..." if len(names) > MOST_NAMED else "")


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether a stream is a terminal; one that is closed is none."""
    return stream is not None and stream.isatty()


def progress(items: Iterable[Item], total: int, *, quiet: bool = False) -> Iterable[Item]:
    """Say on standard error how many ``items`` have been gone through, as :class:`Progress` does."""
    return items if quiet else Progress(total).over(items)


class Progress:
    """Says on standard error how many of ``total`` are done: by a bar, or off a terminal by a line at times.

    Nothing is said where it is to be ``quiet``; there is no bar where CI is set. Items that come many at a time, when
    the last of them is done, are counted sooner by who does them.
    """

    def __init__(self, total: int, *, quiet: bool = False, unit: str = "image"):
        self._total, self._quiet = total, quiet
        self._ahead = self._came = self._shown = 0
        self._began = self._said = time.monotonic()
        self._lock = threading.Lock()
        self._bar: Any = None
        if not quiet and not os.environ.get("CI") and is_terminal(sys.stderr):
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit=unit, leave=False, file=sys.stderr)

    def step(self) -> None:
        """Count one that is done and will come with others; for several threads."""
        with self._lock:
            self._ahead += 1
            self._show()

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Count items as they come."""
        try:
            for item in items:
                yield item
                with self._lock:
                    self._came += 1
                    self._show()
        finally:
            self.close()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _show(self) -> None:
        done = max(self._ahead, self._came)
        if self._bar is not None:
            self._bar.update(done - self._shown)
        self._shown = done
        now = time.monotonic()
        if self._bar is None and not self._quiet and now - self._said >= SECONDS_A_LINE and done < self._total:
            say(f"{done} of {self._total} after {(now - self._began) / 60:.1f} minutes.")
            self._said = now


def console() -> "Console":
    """Return a console on standard output for tables; errors as in `checked_stdout`."""
    from rich.console import Console

    class Checked(Console):
        def print(self, *objects: Any, **how: Any) -> None:
            with checked_stdout():
                super().print(*objects, **how)

    return Checked(highlight=False, soft_wrap=True, width=None if is_terminal(sys.stdout) else WIDTH)
