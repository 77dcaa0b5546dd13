"""One run at a time: a lock on the place of the outputs, which the system lets go when its process dies.

The lock is `flock`'s, as the kernel holds it on a local disc and the server on NFS, and not that of filelock, which
leaves its file behind and cannot say whose it is. The file lies with the outputs, so that two runs that come to them by
different mounts meet, and only while a run goes on.
"""

import errno
import os
import re
import socket
import stat
from contextlib import suppress
from pathlib import Path
from types import ModuleType

from spnrefine.errors import FileError
from spnrefine.files import temporary
from spnrefine.files.atomic import make_folder

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # no such locks on this system
    fcntl = None

_MOST_OWNER = 300  # bytes
_HELD = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK}


class Lock:
    """Keeps other runs away from an output, until it is released; does nothing where no lock can be had.

    Where no file can be made there, no output can either; and some file systems know no locks.

    Parameters
    ----------
    output : what errors name.
    path : of the lock's file. Its folder is made, and deleted on release if nothing came into it.

    Raises
    ------
    FileError
        Another run holds it.
    """

    def __init__(self, output: Path, path: Path):
        self._path, self._made = path, []
        self._file: int | None = None
        try:
            self._made = make_folder(path.parent)
            self._acquire(output)
        except OSError as error:
            if isinstance(error, FileError):
                raise
        except BaseException:
            self.release()
            raise

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let others in; may be called twice. So does leaving a ``with``."""
        if self._file is not None:
            temporary.release(self._path)  # before it is let go: whoever opened it meanwhile sees that it has gone
            os.close(self._file)
            self._file = None
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()
        self._made = []

    def _acquire(self, output: Path) -> None:
        while fcntl is not None and self._file is None:
            file = _open(self._path)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still_there(file, self._path):
                    self._file = file
                    temporary.adopt(self._path)
                    _write_owner(file)
            except OSError as error:
                if error.errno in _HELD:
                    raise FileError(
                        f"{output} is being written by another run{_owner(file)}: wait for its end, or choose another "
                        "output."
                    ) from None
                raise
            finally:
                if self._file is None:
                    os.close(file)


def _open(path: Path) -> int:
    flags = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        file = os.open(path, os.O_RDWR | flags, 0o666)
    except PermissionError:  # another user's
        file = os.open(path, os.O_RDONLY | flags & ~os.O_CREAT)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return file


def _is_still_there(file: int, path: Path) -> bool:
    """Tell whether the file that is locked is the one that others will find."""
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def _write_owner(file: int) -> None:
    with suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()} {socket.gethostname()}\n".encode(errors="replace")[:_MOST_OWNER], 0)


def _owner(file: int) -> str:
    """Say who holds a lock, if that can be read."""
    try:
        text = os.pread(file, _MOST_OWNER, 0).decode("ascii", "replace")
    except OSError:
        return ""
    found = re.fullmatch(r"([0-9]{1,10}) ([\w.-]{1,253})\n", text)
    return f" (process {found[1]} on {found[2]})" if found else ""
