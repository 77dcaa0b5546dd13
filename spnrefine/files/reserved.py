"""The place of a run's weights: looked at before any work is spent, and one run's at a time."""

import os
from collections.abc import Iterable
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files import temporary
from spnrefine.files.atomic import check_output
from spnrefine.files.lock import Lock


def prepare_folder(out: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse an output that exists or is an input, and make its folder, before any work is spent."""
    check_output(out, overwrite=overwrite, inputs=inputs)
    folder = out.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder} cannot be made ({error.strerror}): give --out another folder.") from None
    if not os.access(folder, os.W_OK):
        raise FileError(f"{folder} cannot be written to: give --out another folder.")
    temporary.sweep(folder)


def locked(out: Path) -> Lock:
    """Keep other runs away from an output: a second one would replace its weights and carry on its checkpoint."""
    return Lock(out, out.with_name(f".{out.name}.lock"))
