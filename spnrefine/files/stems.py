"""Files that belong together because their names are equal up to the extension."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files.formats import MASKS, PHOTOGRAPHS

MASK_SUFFIX = "_mask"
"""What may follow a photograph's stem in the name of its mask."""


def has_extension(path: Path, extensions: Collection[str]) -> bool:
    """Whether a path ends in one of ``extensions`` (lower case, with their dots), in lower or upper case."""
    return path.suffix.lower() in extensions


def by_stem(folder: Path, extensions: Collection[str] | None = None) -> dict[str, list[Path]]:
    """Collect the files of a folder by stem, in the order of their names; hidden files are left out.

    ``extensions`` are those that count; None takes all.

    Raises
    ------
    FileError
        ``folder`` is no folder, or cannot be read.
    """
    try:
        listed = sorted(folder.iterdir())
    except OSError as error:
        raise FileError(
            f"{folder} is no folder that can be read ({error.strerror}): give a folder of files."
        ) from error
    found: dict[str, list[Path]] = {}
    for path in listed:
        if not path.name.startswith(".") and (extensions is None or has_extension(path, extensions)) and path.is_file():
            found.setdefault(path.stem, []).append(path)
    return found


def pair_by_stem(photographs: Path, masks: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each photograph of one folder that has a mask of its stem in another, and that mask, by name.

    Raises
    ------
    FileError
        One is no folder, or a stem that both folders know is not that of one photograph and one mask: nothing says
        which of several belong together.
    """
    there = by_stem(masks, MASKS)
    for stem, found in by_stem(photographs, PHOTOGRAPHS).items():
        if stem in there:
            yield only(found, "photographs"), only(there[stem], "masks")


def pair_trees(photographs: Path, masks: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each photograph below one folder that has a mask of its path in another, and that mask, by path.

    Sub-folders are gone through. A mask has its photograph's name, or that and ``_mask``; in one folder with the
    photographs, always the latter.

    Raises
    ------
    FileError
        One is no folder, or several photographs or masks have one name.
    """
    there = _below(masks, MASKS)
    together = photographs.exists() and masks.exists() and photographs.samefile(masks)
    for name, found in _below(photographs, PHOTOGRAPHS).items():
        fitting = [] if together else there.get(name, [])
        fitting = fitting or there.get(name + MASK_SUFFIX, [])
        if fitting:
            yield only(found, "photographs"), only(fitting, "masks")


def _below(folder: Path, extensions: Collection[str]) -> dict[str, list[Path]]:
    """Collect files by their paths below a folder, without their extensions; hidden ones are left out."""
    found: dict[str, list[Path]] = {}
    if not folder.is_dir():
        by_stem(folder)  # which says why
    for each in sorted(Path(path) for path, _, _ in os.walk(folder)):
        if any(part.startswith(".") for part in each.relative_to(folder).parts):
            continue
        for stem, files in by_stem(each, extensions).items():
            found[(each.relative_to(folder) / stem).as_posix()] = files
    return found


def only(files: Sequence[Path], what: str) -> Path:
    """Return the one file of a stem; ``what`` names its kind, in the plural.

    Raises
    ------
    FileError
        There are several; it names them.
    """
    if len(files) > 1:
        raise FileError(f"{_listed(files)} are {what} of one name: rename or remove all but one.")
    return files[0]


def _listed(files: Iterable[Path]) -> str:
    *others, last = map(str, files)
    return f"{', '.join(others)} and {last}"
