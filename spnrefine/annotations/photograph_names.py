"""Find the photograph that an annotation speaks of."""

from collections.abc import Iterable
from pathlib import Path


def find_photograph(item: str, names: Iterable[str], folders: Iterable[Path]) -> tuple[Path, str | None]:
    """Look for the first of ``names`` that is a file in one of ``folders``.

    Names may hold folders, also with a Windows machine's backslashes; where they lead nowhere, the bare name is tried.

    Parameters
    ----------
    item : the annotation's name, for the problem.
    names : non-empty sequence of relative or absolute paths, the most telling first.
    folders : non-empty sequence, searched in order.

    Returns
    -------
    The photograph and None; or where it was expected, and a sentence saying that it is not there.
    """
    folders = list(folders)
    spelled = [name.replace("\\", "/") for name in names]
    tried = [*spelled, *(name.rpartition("/")[2] for name in spelled)]
    for name in tried:
        for folder in folders:
            if name and is_file(folder / name):
                return folder / name, None
    expected = folders[0] / spelled[0]
    return expected, f"{item} belongs to {expected}, which does not exist: give the folder that holds the photographs."


def is_file(path: Path) -> bool:
    """Like Path.is_file, but False for names that no file can have: too long, or with a null byte."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
