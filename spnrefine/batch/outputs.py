"""What a run may write: the one place that decides whether a file may be replaced, and that writes it."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.batch.ledger import Ledger
from spnrefine.files import atomic
from spnrefine.job.record import Record


class Outputs:
    """The files of a run, each of which is named in its ledger before it is written.

    A file that exists is replaced in two cases alone: with ``overwrite``, or with ``resume`` where an earlier run
    wrote it and nobody has changed it since. An input is never replaced. Several threads may write at once.

    Parameters
    ----------
    ledger : of this run and the earlier ones; closed along with this.
    overwrite : replace what exists.
    resume : take up what earlier runs have finished, and replace what else they wrote.
    """

    def __init__(self, ledger: Ledger, *, overwrite: bool = False, resume: bool = False):
        self.ledger, self.resume = ledger, resume
        self._overwrite = overwrite

    def close(self) -> None:
        self.ledger.close()

    def check(self, path: Path, inputs: Iterable[Path] = ()) -> None:
        """Refuse a file that may not be written, before any work is spent on it.

        Raises
        ------
        FileError
            It is one of ``inputs``, is no file, or exists and may not be replaced.
        """
        atomic.check_output(path, overwrite=self._may_replace(path), inputs=inputs)

    def write(self, path: Path, data: bytes, inputs: Iterable[Path] = ()) -> None:
        """Write a file that is no refined mask itself, such as a picture of one; errors as in :meth:`begin_mask`."""
        self.begin_mask(path, "", data, inputs)
        self.ledger.finish(path, "", data)

    def begin_mask(self, path: Path, key: str, data: bytes, inputs: Iterable[Path] = ()) -> None:
        """Write a refined mask that was made from what ``key`` digests.

        It is done once :meth:`finish_mask` says that all that belongs to it is there too; until then, a later run
        makes it again.

        Raises
        ------
        FileError
            As in :meth:`check`, or it cannot be written.
        """
        replaces = self._may_replace(path)
        atomic.check_output(path, overwrite=replaces, inputs=inputs)  # first: what is refused is not named as ours
        self.ledger.begin(path, key)
        atomic.write_bytes(path, data, overwrite=replaces, inputs=inputs)

    def finish_mask(self, path: Path, key: str, data: bytes, record: Record) -> None:
        """Say that a refined mask is done, and with which numbers."""
        self.ledger.finish(path, key, data, record)

    def finished(self, path: Path, key: str) -> Record | None:
        """Return the record of a refined mask that an earlier run finished and that need not be made again."""
        return self.ledger.finished(path, key) if self.resume else None

    def kept(self, key: str) -> tuple[NDArray[np.bool_], Record] | None:
        """Return a mask (H, W) that an earlier run kept in its ledger and that need not be refined again."""
        return self.ledger.kept(key) if self.resume else None

    def _may_replace(self, path: Path) -> bool:
        return self._overwrite or (self.resume and self.ledger.may_replace(path))
