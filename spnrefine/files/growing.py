"""Files that grow a line at a time, for whoever reads along."""

import errno
import os
import stat
from pathlib import Path

from spnrefine.errors import FileError
from spnrefine.files import atomic


class Growing:
    """A file to add lines to, each at once, so that several processes may add theirs.

    Parameters
    ----------
    path : of the file, which is made where it is not there; its folder too.

    Raises
    ------
    FileError
        It cannot be written, or is no regular file.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            atomic.make_folder(path.parent)
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        except (OSError, ValueError) as error:
            raise self._cannot(error) from None
        status = os.fstat(self._file)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._file)
            raise FileError(f"{path} is not a regular file: give the path of a file to write.")
        self._cut_short = status.st_size > 0 and os.pread(self._file, 1, status.st_size - 1) != b"\n"

    def add(self, line: bytes) -> None:
        """Add a line, on one of its own whatever was there before.

        Raises
        ------
        FileError
            The disc does not take it.
        """
        data = b"\n" + line if self._cut_short else line
        try:
            self._cut_short = os.write(self._file, data) < len(data)
            if self._cut_short:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise self._cannot(error) from None

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _cannot(self, error: Exception) -> FileError:
        reason = getattr(error, "strerror", None) or error
        return FileError(f"{self._path} cannot be written ({reason}): make room, or choose another output.")
