"""Write a file whole or not at all, and never over an input."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files import temporary
from spnrefine.files.inputs import Inputs

Data = bytes | Iterable[bytes]
"""What a file is to hold, whole or in parts."""

Name = Callable[[bool], None]
"""Gives a file that was staged its name; what has the name already is replaced if that is said."""

_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EROFS, errno.EBADF}
# what a file system says that does not know how to


def check_output(path: Path, *, overwrite: bool = False, inputs: Iterable[Path] | Inputs = ()) -> None:
    """Refuse an output that `write_bytes` would refuse, before any work is spent on it.

    Raises
    ------
    FileError
        ``path`` is one of ``inputs`` (through symbolic and hard links too), is a folder or a device, or exists and
        ``overwrite`` is false; or its folder takes no files.
    """
    path = Path(path)
    source = (inputs if isinstance(inputs, Inputs) else Inputs(inputs)).find(path)
    if source is not None:
        raise FileError(f"{path} is the input {source} itself, which is never overwritten: choose another output.")
    try:
        path.lstat()
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "not a regular file"
            raise FileError(f"{path} is {what}: give the path of a file to write.")
        is_there = True
    except FileError:
        raise
    except (OSError, ValueError):
        is_there = False  # or out of reach, and then writing says why
    if is_there and not overwrite:
        raise _exists(path)
    _check_folder(path)


def _check_folder(path: Path) -> None:
    """Refuse a path whose folder, or the one that it would be made in, may not be written to."""
    try:
        folder = next(folder for folder in path.parents if folder.exists())
    except (OSError, ValueError, StopIteration):
        return  # writing says why
    if not folder.is_dir():
        raise FileError(f"{path} cannot be written ({folder} is no folder): choose another output.")
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise FileError(f"{path} cannot be written ({folder} takes no files): choose another output.")


def write_bytes(path: Path, data: Data, *, overwrite: bool = False, inputs: Iterable[Path] | Inputs = ()) -> None:
    """Write ``data`` to a temporary file beside ``path``, then give it its name.

    Folders missing on the way to ``path`` are made. The file's mode follows the umask. A symbolic link at ``path`` is
    replaced, not followed. Whatever goes wrong, no temporary file stays and an older file at ``path`` keeps its bytes.
    All of ``data`` is on the disc before the name is there, and the name before this returns.

    Raises
    ------
    FileError
        As `check_output`, and when the folder or the disc does not take the file.
    """
    path = Path(path)
    check_output(path, overwrite=overwrite, inputs=inputs)
    with staged(path, data) as name:
        name(overwrite)


def parts(data: Data) -> Iterable[bytes]:
    """Return what a file is to hold in parts."""
    return [data] if isinstance(data, bytes) else data


@contextmanager
def staged(path: Path, data: Data, *, sync_name: bool = True) -> Iterator[Name]:
    """Write ``data`` to the disc, in a temporary file beside ``path``, and let it be given its name.

    This is for those who have something to do just before, see `write_bytes` for all else; and for those who write many
    files to a folder, and wait for their names once, with `sync_folder`, and not each time.

    Raises
    ------
    FileError
        The folder or the disc does not take the file, or it would replace what must not be replaced.
    """
    try:
        make_folder(path.parent)
        own = temporary.reserve(path.parent)  # not from tempfile, whose files have mode 0600 whatever the umask says
        try:
            with own.open("xb") as file:
                file.writelines(parts(data))
                file.flush()
                sync(file.fileno())

            def name(overwrite: bool) -> None:
                if overwrite:
                    own.replace(path)
                else:
                    _rename_to_new(own, path)

            yield name
        finally:
            temporary.release(own)
        if sync_name:
            sync_folder(path.parent)
    except FileError:
        raise
    except (OSError, ValueError) as error:  # ValueError: no file can have that name
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be written ({reason}): choose another output.") from error


def sync(file: int) -> None:
    """Wait until what was written to an open file is on the disc; OSError where it cannot get there."""
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disc, where the system opens folders; errors as in `sync`."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        sync(number)
    finally:
        os.close(number)


def make_folder(folder: Path) -> list[Path]:
    """Make a folder and those on the way to it, and return those that were not there, the innermost first."""
    made = []
    for each in (folder, *folder.parents):
        if each.exists():
            break
        made.append(each)
    folder.mkdir(parents=True, exist_ok=True)
    for each in made:
        sync_folder(each.parent)
    return made


def _rename_to_new(own: Path, path: Path) -> None:
    """Give the file its name, if nothing has that name: another process may have come first since the check."""
    try:
        os.link(own, path)
    except FileExistsError as error:
        raise _exists(path) from error
    except (OSError, NotImplementedError):  # no hard links here (FAT, some shares)
        # An empty file to hold the name until then would be taken for a mask if the power went.
        if os.path.lexists(path):
            raise _exists(path) from None
        own.replace(path)


def _exists(path: Path) -> FileError:
    return FileError(f"{path} exists: choose another output or pass --overwrite.")
