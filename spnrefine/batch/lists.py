"""Lists of photographs, and of their masks, as people and shells write them."""

from collections.abc import Iterable
from pathlib import Path


def pairs_of(lines: Iterable[str]) -> list[tuple[Path, Path | None]]:
    """Read lines that name a photograph, or a photograph, a tabulator and its mask.

    What follows a second tabulator is passed over, so that what ``batch --dry-run`` printed can be given back. A line
    that names a file as it stands is one name, tabulators and all.
    """
    listed = []
    for line in lines:
        photograph, _, rest = ("", "", "") if Path(line).exists() else line.partition("\t")
        mask = rest.partition("\t")[0]
        listed.append((_path(photograph or line), _path(mask) if mask else None))
    return listed


def _path(name: str) -> Path:
    """Take a name as Windows writes it for one of these folders, where no file has it as it stands."""
    path, other = Path(name), Path(name.replace("\\", "/"))
    return other if path != other and not path.exists() and other.exists() else path
