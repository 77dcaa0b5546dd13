"""The place of a run's weights: looked at before any work is spent, and one run's at a time."""

from collections.abc import Iterable
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files import temporary
from spnrefine.files.atomic import check_output
from spnrefine.files.lock import Lock


def prepare_folder(out: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse an output that exists, is an input or cannot be, and make its folder, before any work is spent."""
    check_output(out, overwrite=overwrite, inputs=inputs)
    folder = out.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder} cannot be made ({error.strerror}): give --out another folder.") from None
    temporary.sweep(folder)


def locked(out: Path) -> Lock:
    """Keep other runs away from an output: a second one would replace its weights and carry on its checkpoint."""
    return Lock(out, out.with_name(f".{out.name}.lock"))
