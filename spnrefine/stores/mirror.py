"""A private folder in which the objects of a batch have paths: an empty file for each, and the bytes of those at work.

Which mask belongs to which photograph is thus found, and refused, by the same rules as on a disc.
"""

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from spnrefine.errors import FileError
from spnrefine.files import temporary
from spnrefine.job.record import Record
from spnrefine.stores import store
from spnrefine.stores.urls import SCHEMES, Url, is_plain


class Mirror:
    """The folder, and which paths in it stand for which URLs; several threads may use it at once.

    Those of dead processes are deleted, once a process.

    Parameters
    ----------
    tree : of a mirror in another process, whose paths are to mean the same here; None for one of its own.

    Attributes
    ----------
    left_out : in sentences, which objects can have no path.
    tree : whose paths stand for objects.
    """

    def __init__(self, tree: Path | None = None) -> None:
        _sweep()
        self._folder = Path(tempfile.gettempdir()).resolve() / temporary.new_name()
        self.tree, self._desks = tree or self._folder / "tree", self._folder / "desks"
        self._folder.mkdir(mode=0o700)
        self._desks.mkdir()
        if tree is None:
            self.tree.mkdir()
        places = rf"(?:{re.escape(str(self.tree))}|{re.escape(str(self._desks))}/[^/]+)"
        self._inside = re.compile(rf"{places}/({'|'.join(SCHEMES)})/")
        self._also: dict[Path, Url] = {}
        self.left_out: list[str] = []

    def close(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def path(self, url: Url) -> Path:
        """Return the path that stands for a URL."""
        return self.tree / url.scheme / url.path

    def url(self, path: Path) -> Url | None:
        """Return the URL that a path stands for, in the tree or on a desk; None for one of this machine's own."""
        found = self._inside.match(str(path))
        return None if found is None else Url(found[1], str(path)[found.end() :])

    def stand(self, path: Path, url: Url) -> None:
        """Have a path of the tree stand for another URL than its own."""
        self._also[path] = url

    def lay(self, folder: Url) -> Path:
        """Put an empty file in the place of each object below a folder that is not hidden; return the folder's path.

        Raises
        ------
        FileError
            The store does not list it.
        """
        root = self.path(folder)
        made, odd = set[Path](), 0
        for name in store.names_in(folder):
            if name.endswith("/") or any(part.startswith(".") for part in name.split("/") if part not in (".", "..")):
                continue  # a folder that somebody's tool made an object of; or hidden
            path = root / name
            try:
                if not is_plain(name):
                    raise ValueError
                if path.parent not in made:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    made.add(path.parent)
                path.touch()
            except (OSError, ValueError):  # it is too long, or is a folder too
                odd += 1
        if odd:
            self.left_out.append(f"Left out: {odd} objects of {folder} whose names no file can have.")
        return root

    def desk(self) -> "Desk":
        """Make a folder for one item at work."""
        return Desk(self, self.tree, Path(tempfile.mkdtemp(dir=self._desks)))

    def said(self, text: str) -> str:
        """Say a text with URLs in the place of the paths that stand for them."""
        for path, url in self._also.items():
            text = text.replace(str(path), str(url))
        return self._inside.sub(r"\1://", text)

    def told(self, record: Record) -> Record:
        """Return a record with URLs in the place of paths."""
        changed: dict[str, Any] = {}
        for field in fields(record):
            value = getattr(record, field.name)
            if isinstance(value, str):
                changed[field.name] = self.said(value)
            elif isinstance(value, list) and all(isinstance(each, str) for each in value):
                changed[field.name] = [self.said(each) for each in value]
        return replace(record, **changed)


@cache
def _sweep() -> None:
    temporary.sweep(Path(tempfile.gettempdir()), folders=True)


class Desk:
    """The bytes of one item at work, at paths like those of the tree."""

    def __init__(self, mirror: Mirror, tree: Path, folder: Path):
        self._mirror, self._tree, self.folder = mirror, tree, folder

    def close(self) -> None:
        """Delete all that lies there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, path: Path) -> Path:
        """Return where on the desk a path of the tree is; one of this machine's own stays what it is."""
        return self.folder / path.relative_to(self._tree) if path.is_relative_to(self._tree) else path

    def bring(self, path: Path, *, whole: bool = True) -> None:
        """Fetch the object that a path of the tree stands for; or put an empty file in its place.

        Raises
        ------
        FileError
            It cannot be read, or is there no more.
        """
        url, here = self._mirror.url(path), self.path(path)
        if url is None or here.exists():
            return
        here.parent.mkdir(parents=True, exist_ok=True)
        if not whole:
            here.touch()
        elif not store.fetch(url, here):
            raise FileError(f"{url} has gone since it was listed: start the batch again.")

    def bring_all(self, paths: Sequence[Path]) -> None:
        """Fetch several, as `bring` does."""
        for path in paths:
            self.bring(path)
