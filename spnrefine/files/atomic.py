"""Write a file whole or not at all, and never over an input."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from spnrefine.errors import FileError


def check_output(path: Path, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
    """Refuse an output that `write_bytes` would refuse, before any work is spent on it.

    Raises
    ------
    FileError
        ``path`` is one of ``inputs`` (through symbolic and hard links too), is a folder or a device, or exists and
        ``overwrite`` is false.
    """
    path = Path(path)
    for source in inputs:
        if _same_file(path, Path(source)):
            raise FileError(f"{path} is the input {source} itself, which is never overwritten: choose another output.")
    try:
        path.lstat()
    except OSError:
        return  # not there; or out of reach, and then writing says why
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "not a regular file"
        raise FileError(f"{path} is {what}: give the path of a file to write.")
    if not overwrite:
        raise _exists(path)


def write_bytes(path: Path, data: bytes, *, overwrite: bool = False, inputs: Iterable[Path] = ()) -> None:
    """Write ``data`` to a temporary file beside ``path``, then give it its name.

    Folders missing on the way to ``path`` are made. The file's mode follows the umask. A symbolic link at ``path`` is
    replaced, not followed. Whatever goes wrong, no temporary file stays and an older file at ``path`` keeps its bytes.

    Raises
    ------
    FileError
        As `check_output`, and when the folder or the disc does not take the file.
    """
    path = Path(path)
    check_output(path, overwrite=overwrite, inputs=inputs)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not from tempfile, whose files have mode 0600 whatever the umask says.
        temporary = path.parent / f".spnrefine-{secrets.token_hex(8)}.tmp"
        try:
            with temporary.open("xb") as file:
                file.write(data)
            if overwrite:
                temporary.replace(path)
            else:
                _rename_to_new(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"{path} cannot be written ({error.strerror or error}): choose another output.") from error


def _rename_to_new(temporary: Path, path: Path) -> None:
    """Give the file its name, if nothing has that name: another process may have come first since the check."""
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise _exists(path) from error
    except (OSError, NotImplementedError):  # no hard links here (FAT, some shares): reserve the name, rename over it
        try:
            path.open("xb").close()
        except FileExistsError as error:
            raise _exists(path) from error
        try:
            temporary.replace(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _exists(path: Path) -> FileError:
    return FileError(f"{path} exists: choose another output or pass --overwrite.")


def _same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there
        return False
