"""Lists of photographs, and of their masks, as people and shells write them."""

import os
from collections.abc import Iterable
from pathlib import Path


def pairs_of(lines: Iterable[str]) -> list[tuple[Path, Path | None]]:
    """Read lines that name a photograph, or a photograph, a tabulator and its mask.

    What follows a second tabulator is passed over, so that what ``batch --dry-run`` printed can be given back. A line
    that names a file as it stands is one name, tabulators and all.
    """
    listed = []
    for line in lines:
        photograph, _, rest = ("", "", "") if _is_there(line) else line.partition("\t")
        mask = rest.partition("\t")[0]
        listed.append((_path(photograph or line), _path(mask) if mask else None))
    return listed


def _is_there(path: str | Path) -> bool:
    """Like Path.exists, but False for names that no file can have."""
    return os.path.exists(path)  # noqa: PTH110 -- which raises an error where a name is too long


def _path(name: str) -> Path:
    """Take a name as Windows writes it for one of these folders, where no file has it as it stands."""
    path, other = Path(name), Path(name.replace("\\", "/"))
    return other if path != other and not _is_there(path) and _is_there(other) else path
