"""Files that belong together because their names are equal up to the extension."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files.formats import MASKS, PHOTOGRAPHS


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
