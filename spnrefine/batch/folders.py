"""Files under a folder, in a fixed order."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from spnrefine.errors import FileError

MOST_NAMED = 3


class NoPhotographsError(FileError):
    """There is nothing to work on, which may be quite right: some nights are empty."""


def walk(folder: Path, without: Collection[Path] = ()) -> Iterator[Path]:
    """Yield the files under ``folder`` and its sub-folders, linked ones too, by name.

    Hidden ones and the folders in ``without``, resolved paths, are left out, and so is a link that leads back to a
    folder on the way to it.
    """
    yield from _walk(folder, without, frozenset())


def _walk(folder: Path, without: Collection[Path], above: frozenset[Path]) -> Iterator[Path]:
    own = real(folder)
    if own in above:
        return
    try:
        listed = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # a folder that may not be read, as os.walk has it
        return
    folders = [path for path in listed if path.is_dir()]
    yield from (path for path in listed if path not in folders)
    for path in folders:
        if real(path) not in without:
            yield from _walk(path, without, above | {own})


def real(path: Path) -> Path:
    """Like Path.resolve, but a link that leads to itself is no error."""
    return Path(os.path.realpath(path))


def named(paths: Collection[Path | str]) -> str:
    """Name a few of several files: 'a.png, b.png, c.png and 9 more'."""
    first = ", ".join(str(path) for path in list(paths)[:MOST_NAMED])
    return first + (f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else "")


def endings(paths: Iterable[Path]) -> str:
    """Count files by their extensions: '12 .txt, 1 .xml'."""
    counts = Counter(path.suffix.lower() or "without an extension" for path in paths)
    return ", ".join(f"{count} {suffix}" for suffix, count in sorted(counts.items()))
