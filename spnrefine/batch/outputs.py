"""What a run may write: the one place that decides whether a file may be replaced, and that writes it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spnrefine.batch import place
from spnrefine.batch.digests import Origin, digest, digest_data
from spnrefine.batch.ledger import Ledger
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from spnrefine.files import atomic, temporary
from spnrefine.files.growing import Growing
from spnrefine.files.inputs import Inputs
from spnrefine.files.lock import Lock
from spnrefine.files.regular import is_file
from spnrefine.job.record import Record

OF_EARLIER_RUN = "exists as an earlier run wrote it"


class Outputs:
    """The files of a run, each of which is named in its ledger before it is written.

    A file that exists is replaced in two cases alone: with ``overwrite``, or with ``resume`` where an earlier run
    wrote it and nobody has changed it since. An input is never replaced. Several threads may write at once.

    Parameters
    ----------
    ledger : of this run and the earlier ones; closed along with this.
    inputs : all files that the run reads.
    lock : which keeps other runs away; released along with this.
    overwrite : replace what exists.
    resume : take up what earlier runs have finished, and replace what else they wrote.
    done_is_done : take up what was made with other options, weights or versions too.
    told : makes of a record what the ledger is to hold.
    """

    def __init__(
        self,
        ledger: Ledger,
        inputs: Inputs | None = None,
        lock: Lock | None = None,
        *,
        overwrite: bool = False,
        resume: bool = False,
        done_is_done: bool = False,
        told: Callable[[Record], Record] = lambda record: record,
    ):
        self.ledger, self.inputs, self.resume = ledger, inputs or Inputs(), resume
        self._done_is_done = done_is_done
        self._lock, self._overwrite = lock, overwrite
        self._folders: set[Path] = set()
        self._told = told

    @property
    def terms(self) -> "Terms":
        """On which outputs are written elsewhere too, for items that are worked on in a folder of their own."""
        return Terms(self.ledger.run, self._overwrite, self.resume, self._done_is_done)

    def close(self) -> None:
        """Let other runs in, once the names of all that was written are on the disc."""
        for folder in self._folders:
            with suppress(OSError):
                atomic.sync_folder(folder)
        self.ledger.close()
        if self._lock is not None:
            self._lock.release()

    def check(self, path: Path) -> None:
        """Refuse a file that may not be written, before any work is spent on it.

        Raises
        ------
        FileError
            It is an input, is no file, or exists and may not be replaced.
        """
        self._sweep(path.parent)
        if not self.may_replace(path) and is_file(path) and self.inputs.find(path) is None:
            if self.ledger.may_replace(path):
                raise FileError(f"{path} {OF_EARLIER_RUN}: skip it with --resume, or replace it with --overwrite.")
            if self.resume:
                raise FileError(f"{path} exists, put there or edited by hand: keep it, or replace it with --overwrite.")
        atomic.check_output(path, overwrite=self.may_replace(path), inputs=self.inputs)

    def write(self, path: Path, data: atomic.Data) -> None:
        """Write a file that is no refined mask itself, such as a picture of one; errors as in :meth:`begin_mask`."""
        self.begin_mask(path, "", data)

    def begin_mask(self, path: Path, key: str, data: atomic.Data) -> None:
        """Write a refined mask that was made from what ``key`` digests.

        It is done once :meth:`finish_mask` says that all that belongs to it is there too; until then, a later run
        makes it again.

        Raises
        ------
        FileError
            As in :meth:`check`, or it cannot be written.
        """
        self.check(path)  # first: what is refused is not named as ours
        with atomic.staged(path, data, sync_name=False) as name:
            self.ledger.begin(path, key, digest_data(data))
            name(self.may_replace(path))  # somebody may have edited it since

    def finish_mask(
        self, path: Path, key: str, data: bytes, record: Record, *, inputs: str = "", chosen: bool = False
    ) -> None:
        """Say that a refined mask is done, and with which numbers; ``inputs`` and ``chosen`` as of `Ledger.finish`."""
        self.ledger.finish(path, key, digest(data), self._told(record), inputs=inputs, chosen=chosen)

    def finished(self, path: Path, key: str, inputs: str = "") -> Record | None:
        """Return the record of a refined mask that an earlier run finished and that need not be made again.

        ``inputs`` is their digest, for runs that do not ask what else an earlier run made the mask with.
        """
        self._sweep(path.parent)
        if not self.resume:
            return None
        found = self.ledger.finished(path, key)
        return self.ledger.done(path, inputs) if found is None and inputs and self._done_is_done else found

    def check_lines(self, path: Path, *, append: bool) -> None:
        """Refuse a file to add lines to, as `check` does; ``append`` takes one that is there, whosever it is."""
        atomic.check_output(path, overwrite=append or self._may_replace_lines(path), inputs=self.inputs)

    def begin_lines(self, path: Path, first: bytes, *, append: bool) -> Growing:
        """Write the first line of a file that grows, or add it to what is there; errors as in :meth:`begin_mask`."""
        self.check_lines(path, append=append)
        if append:
            file = Growing(path)
            file.add(first)
            return file
        with atomic.staged(path, first) as name:
            self.ledger.begin(path, "", digest(first))  # by which a run that resumes knows it, however far it grew
            name(self._may_replace_lines(path))
        return Growing(path)

    def chosen(self, path: Path, inputs: str) -> Record | None:
        """Return the record of a refined mask that somebody asked an earlier run for by name, see `Ledger.chosen`."""
        return self.ledger.chosen(path, inputs) if self.resume and not self._overwrite else None

    def is_by_hand(self, path: Path) -> bool:
        """Tell whether a run that resumes finds a file that somebody put there, or edited."""
        return self.resume and not self._overwrite and is_file(path) and not self.ledger.may_replace(path)

    def kept(self, origin: Origin, shape: tuple[int, int]) -> tuple[Boxed, Record] | None:
        """Return a mask of a ``shape`` that an earlier run kept in its ledger and that need not be refined again."""
        if not self.resume:
            return None
        found = self.ledger.kept(origin.key, shape)
        if found is None and self._done_is_done:
            return self.ledger.kept_last(origin.inputs, shape, joint=origin.joint)
        return found

    def kept_choice(self, inputs: str, shape: tuple[int, int]) -> tuple[Boxed, Record] | None:
        """Return such a mask where somebody asked an earlier run for it by name."""
        return self.ledger.kept_last(inputs, shape, chosen=True) if self.resume and not self._overwrite else None

    def _may_replace_lines(self, path: Path) -> bool:
        return self._overwrite or (self.resume and self.ledger.may_replace_lines(path))

    def may_replace(self, path: Path) -> bool:
        """Tell whether a file that is no input may be replaced."""
        return self._overwrite or (self.resume and self.ledger.may_replace(path))

    def _sweep(self, folder: Path) -> None:
        """Delete what dead processes left in a folder of outputs, once."""
        if folder not in self._folders:
            self._folders.add(folder)
            temporary.sweep(folder)


@dataclass(frozen=True)
class Terms:
    """What a run may write, whatever the folder and the process; attributes as of `Ledger` and `Outputs`."""

    run: str
    overwrite: bool
    resume: bool
    done_is_done: bool

    def open(self, output: Path, told: Callable[[Record], Record]) -> Outputs:
        """Open outputs in a folder that is this run's alone; errors as of `Ledger`, which is required."""
        return Outputs(
            Ledger(output, self.run, required=True),
            overwrite=self.overwrite,
            resume=self.resume,
            done_is_done=self.done_is_done,
            told=told,
        )


def open_outputs(
    output: Path,
    run: str,
    inputs: Inputs,
    *,
    is_folder: bool,
    overwrite: bool = False,
    resume: bool = False,
    done_is_done: bool = False,
) -> Outputs:
    """Open the outputs of a run, which is the only one there until they are closed.

    Parameters
    ----------
    output, run, is_folder : as of `Ledger`, which is required with ``resume``.
    inputs, overwrite, resume, done_is_done : as of `Outputs`.

    Raises
    ------
    FileError
        Another run goes on there, the ledger cannot be written and is required, or it is an input.
    """
    for path in place.preferred(output, is_folder=is_folder):
        source = inputs.find(path)
        if source is not None:
            raise FileError(f"{path} is to be the ledger and is the input {source}: choose another output.")
    lock = Lock(output, place.lock_path(output, is_folder=is_folder))
    try:
        ledger = Ledger(output, run, is_folder=is_folder, required=resume)
    except BaseException:
        lock.release()
        raise
    return Outputs(ledger, inputs, lock, overwrite=overwrite, resume=resume, done_is_done=done_is_done)
