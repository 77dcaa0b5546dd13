"""Find the photograph that an annotation speaks of, in the folders that the user gave and nowhere else.

An annotation file may come from anybody, and name any file of this machine: by an absolute path, by ``..``, by a link.
What does not lie within the folders once all links are followed is not opened.
"""

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from spnrefine.files.formats import PHOTOGRAPHS
from spnrefine.files.regular import is_file

Claims = dict[Path, dict[str, set[str]]]
"""What was found for a document: photograph to the names it was found for, each with the items that came to it by
something less than that whole name."""


@dataclass
class Photographs:
    """Where the photographs of an annotation file are looked for.

    A name may hold folders that lead nowhere from here, for instance those of another machine. Then its bare name is
    tried; but where two names of a document come to one photograph so, nothing says whose it is, and it is neither's.

    Attributes
    ----------
    folders : non-empty, searched in order.
    below : where the file lies in its document.
    claims : what was found so far, for all files of the document.
    """

    folders: Sequence[Path]
    below: Path = Path()
    claims: Claims = field(default_factory=dict)
    _found: dict[tuple[str, ...], tuple[Path, str, bool] | None] = field(default_factory=dict, init=False)
    _outside: set[str] = field(default_factory=set, init=False)  # names that are files, but out of the folders

    def find(self, item: str, names: Sequence[str], others: Sequence[str] = ()) -> tuple[Path, str | None]:
        """Look for the first of ``names`` that is a file in one of the folders.

        Parameters
        ----------
        item : the annotation's name, for the problem.
        names : non-empty, relative or absolute paths, also with backslashes, the most telling first.
        others : bare names that the photograph may have here as well.

        Returns
        -------
        The photograph and None; or where it was expected, and a sentence saying that it is not there.
        """
        key = (*names, "", *others)
        if key not in self._found:
            self._found[key] = self._look_up([name.replace("\\", "/") for name in names], others)
        found = self._found[key]
        if found is None:
            outside = next((name for name in names if name.replace("\\", "/") in self._outside), None)
            expected = self.folders[0] / names[0].replace("\\", "/")
            if outside is not None:
                where = "which lies outside the folders of the photographs"
                return expected, f"{item} belongs to {outside}, {where}: give --images, the folder that holds it."
            missing = f"belongs to {expected}, which does not exist: give the folder that holds the photographs."
            return expected, f"{item} {missing}"
        photograph, called, certain = found
        items = self.claims.setdefault(photograph, {}).setdefault(called, set())
        if not certain:
            items.add(item)
        return photograph, None

    def mention(self, names: Sequence[str], others: Sequence[str] = ()) -> None:
        """Note that the document speaks of a photograph, also where no mask is drawn on it; names as for `find`."""
        self.find("", names, others)

    def _look_up(self, names: Sequence[str], others: Sequence[str]) -> tuple[Path, str, bool] | None:
        """Return a photograph, the whole name it was found for, and if it certainly has that name."""
        for name, tried in _candidates(names, others):
            for folder in self.folders:
                if tried and is_file(folder / tried):
                    if not is_within(folder / tried, self.folders):
                        self._outside.add(tried)
                        continue
                    called = posixpath.normpath(posixpath.join(self.below.as_posix(), name))
                    return folder / tried, called, _ends_in(folder / tried, called)
        return None


def shared(claims: Claims) -> dict[str, str]:
    """Return, by the item's name, what is wrong with those that share a photograph that may be another's."""
    wrong: dict[str, str] = {}
    for called in claims.values():
        for name, items in called.items() if len(called) > 1 else ():
            other = next(other for other in called if other != name)
            ask = "give the folder that holds them all, under these names."
            what = f"belongs to {name}, which does not exist, and shares its bare name with {other}: {ask}"
            wrong |= {item: f"{item} {what}" for item in items}
    return wrong


def search_path(own: Path, images: Path | None, below: Path = Path()) -> list[Path]:
    """List where photographs may lie, given the folder of their annotations, ``below`` the document's own.

    Where none is named: with the annotations, in ``images`` there or beside, and where YOLO has them, in a tree of
    ``images`` like that of ``labels``; and in ``img`` beside, where Supervisely has them.
    """
    if images is not None:
        return [images / below, images, own, own.parent / "img"]
    parts = list(own.parts)
    if "labels" in parts:
        last = len(parts) - 1 - parts[::-1].index("labels")
        parts[last] = "images"
    return [own, Path(*parts), own / "images", own.parent / "images", own.parent / "img"]


def of_stem(stem: str) -> list[str]:
    """List the names that the photograph of a stem may have, in the order in which they are tried."""
    return [stem + suffix for lower in PHOTOGRAPHS for suffix in (lower, lower.upper())]


def is_within(path: Path, folders: Sequence[Path]) -> bool:
    """Tell if a file lies in one of the folders, or below, when all links are followed."""
    resolved = Path(os.path.realpath(path))  # unlike resolve, no error where a link leads to itself
    return any(resolved.is_relative_to(os.path.realpath(folder)) for folder in folders)


def _candidates(names: Sequence[str], others: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from ((name, name) for name in names)
    yield from ((name, name.rpartition("/")[2]) for name in names)
    yield from ((names[0], other) for other in others)


def _ends_in(path: Path, called: str) -> bool:
    parts = [part for part in PurePosixPath(called).parts if part not in ("..", "/")]
    return list(path.absolute().parts[-len(parts) :]) == parts
