"""One run for one output: a second one would replace its weights and carry on its checkpoint."""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files import temporary
from spnrefine.files.atomic import check_output


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


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the output of a run, by a lock on a hidden file beside it; the system frees it however the run ends.

    Raises
    ------
    SpnRefineError
        Another run holds it.
    FileError
        The file cannot be made.
    """
    path = out.with_name(f".{out.name}.lock")
    try:
        file = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise FileError(f"{path} cannot be made ({error.strerror}): give --out another folder.") from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = path.exists() and os.path.samestat(os.fstat(file), path.stat())  # else the other has just ended
        except OSError as error:
            ours = error.errno not in (errno.EWOULDBLOCK, errno.EACCES)  # else a file system that has no locks
        if not ours:
            raise SpnRefineError(f"Another run is writing {out}: wait for it, or give another --out.")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(file)
