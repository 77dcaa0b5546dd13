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


def pair_trees(photographs: Path, masks: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each photograph below one folder that has a mask of its path in another, and that mask, by path.

    Sub-folders are gone through. A mask has its photograph's name, or that and ``_mask``; in one folder with the
    photographs, always the latter.

    Raises
    ------
    FileError
        One is no folder, or several photographs or masks have one name.
    """
    found = by_path(photographs, PHOTOGRAPHS)
    there = masks_of(photographs, found, masks)
    for name, files in found.items():
        if name in there:
            yield only(files, "photographs"), only(there[name], "masks")


def masks_of(folder: Path, photographs: Collection[str], masks: Path) -> dict[str, list[Path]]:
    """Collect the masks below ``masks`` by the names of the ``photographs`` below ``folder``, or else by their own."""
    together = folder.exists() and masks.exists() and folder.samefile(masks)
    exact: dict[str, list[Path]] = {}
    longer: dict[str, list[Path]] = {}
    for name, files in by_path(masks, MASKS).items():
        short = name.removesuffix(MASK_SUFFIX)
        if short != name and short in photographs:
            longer[short] = files
        elif not together:
            exact[name] = files
    return longer | exact


def by_path(folder: Path, extensions: Collection[str], without: Iterable[Path] = ()) -> dict[str, list[Path]]:
    """Collect files by their paths below a folder, without their extensions, folder by folder in order of their names.

    Linked folders are gone through too. Hidden ones are left out, and so are the folders ``without`` and a link that
    leads back to a folder on the way to it; errors as of `by_stem`.
    """
    found: dict[str, list[Path]] = {}
    if not folder.is_dir():
        by_stem(folder)  # which says why
    left_out = {path.resolve() for path in without} - {folder.resolve()}
    places = []
    above = {str(folder): {folder.resolve()}}  # of each folder, what it lies in, linked ones too
    for place, folders, _ in os.walk(folder, followlinks=True):
        here, over = Path(place), above.pop(place)
        real = {name: (here / name).resolve() for name in folders if not name.startswith(".")}
        folders[:] = [name for name, path in real.items() if path not in left_out | over]
        above |= {str(here / name): over | {real[name]} for name in folders}
        places.append(here)
    for here in sorted(places):
        for stem, files in by_stem(here, extensions).items():
            found[(here.relative_to(folder) / stem).as_posix()] = files
    return found


def name_below(path: Path, folder: Path) -> str:
    """Return a file's path below a folder, without its extension; its stem alone, where it lies elsewhere."""
    path, folder = path.resolve(), folder.resolve()
    return path.relative_to(folder).with_suffix("").as_posix() if path.is_relative_to(folder) else path.stem


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
