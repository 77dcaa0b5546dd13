"""Options and arguments that are paths of this machine, or URLs, and what the shell offers for them."""

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem


class TextOfPath(click.Path):
    """A path, as the text that was given; an empty one, as of a variable that is not set, is none, nor is ``-``."""

    takes_streams = False

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if not str(value):
            self.fail("the path that was given is empty: name a file or folder.", parameter, context)
        if value == "-" and not self.takes_streams:  # as a path it has come through here already
            self.fail("'-' is a stream, and none goes here: name a file or folder, such as ./-", parameter, context)
        return super().convert(value, parameter, context)


class PathOrStream(TextOfPath):
    """The same, or ``-`` for standard input or output."""

    takes_streams = True


class File(TextOfPath):
    """A path, shown as FILE; a URL is none, unless it names a file of this machine."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)
        self.name = "file"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        from spnrefine.stores import urls

        if not urls.is_url(value):
            return super().convert(value, parameter, context)
        own = urls.own_path(value)
        if own is None and not self.takes_urls:
            self.fail(f"{value} is a URL: expected a path of this machine.", parameter, context)
        return value if own is None else super().convert(str(own), parameter, context)

    takes_urls = False


class Folder(File):
    """A path, shown as DIR and completed as a folder; that it is one, whoever reads it checks."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "dir"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="dir")]


class FileOrUrl(File):
    """A path, or the text of a URL, which is no path; shown as FILE."""

    takes_urls = True


class FolderOrUrl(Folder):
    """The same, shown as DIR."""

    takes_urls = True


class Either(File):
    """A path of a file or a folder, shown as DIR|FILE."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "dir|file"


FILE, FOLDER, EITHER = File(), Folder(), Either()
FILE_OR_URL, FOLDER_OR_URL = FileOrUrl(), FolderOrUrl()
# text as it was given: a path would lose the slash at its end, which means a folder
TEXT_OF_PATH, PATH_OR_STREAM = TextOfPath(readable=False), PathOrStream(readable=False)
