"""Options and arguments that are paths of this machine, or URLs, and what the shell offers for them."""

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem


class TextOfPath(click.Path):
    """A path of this machine, as the text that was given; an empty one, as of a variable that is not set, is none.

    Parameters
    ----------
    streams : ``-`` is taken too, for standard input or output.
    urls : so is a URL; else only one that names a file of this machine, for its path.
    how : see `click.Path`.
    """

    def __init__(self, *, streams: bool = False, urls: bool = False, **how: Any) -> None:
        super().__init__(**how)
        self._takes_streams, self._takes_urls = streams, urls

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        from spnrefine.stores import urls

        if not str(value):
            self.fail("the path that was given is empty: name a file or folder.", parameter, context)
        if value == "-" and not self._takes_streams:  # as a path it has come through here already
            self.fail("'-' is a stream, and none goes here: name a file or folder, such as ./-", parameter, context)
        if not urls.is_url(value):
            return super().convert(value, parameter, context)
        own = urls.own_path(value)
        if own is None and not self._takes_urls:
            self.fail(f"{value} is a URL: expected a path of this machine.", parameter, context)
        return value if own is None else super().convert(str(own), parameter, context)


class File(TextOfPath):
    """A path, shown as FILE; with ``urls``, the text of a URL, which is no path, as it is."""

    def __init__(self, *, urls: bool = False) -> None:
        super().__init__(path_type=Path, urls=urls)
        self.name = "file"


class Folder(File):
    """The same, shown as DIR and completed as a folder; that it is one, whoever reads it checks."""

    def __init__(self, *, urls: bool = False) -> None:
        super().__init__(urls=urls)
        self.name = "dir"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="dir")]


class Either(File):
    """A path of a file or a folder, shown as DIR|FILE."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "dir|file"


FILE, FOLDER, EITHER = File(), Folder(), Either()
FILE_OR_URL, FOLDER_OR_URL = File(urls=True), Folder(urls=True)
# text as it was given: a path would lose the slash at its end, which means a folder
TEXT_OF_PATH, PATH_OR_STREAM = TextOfPath(readable=False), TextOfPath(readable=False, streams=True)
PATH_OR_URL, ANYWHERE = TextOfPath(readable=False, urls=True), TextOfPath(readable=False, streams=True, urls=True)
