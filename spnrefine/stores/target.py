"""The folder of a store that refined masks go to, taken for one run alone."""

from dataclasses import dataclass, replace
from pathlib import Path

from spnrefine.batch.pairs import Pair
from spnrefine.stores.lease import Claimed, Lease
from spnrefine.stores.mirror import Mirror
from spnrefine.stores.urls import Url

LEDGER = ".spnrefine"
"""Folder, in that of the outputs, of an object for each item: the lines that a ledger on a disc would hold of it."""


@dataclass(frozen=True)
class Target:
    """Where refined masks go in a store: its folder, the path that stands for it, and what keeps others away."""

    url: Url
    path: Path
    lease: Lease | Claimed

    def ledger(self, pair: Pair) -> Url:
        """Return the object that is the ledger of one item."""
        inside = (pair.folder / pair.stem).relative_to(self.path)
        return self.url / LEDGER / f"{inside.as_posix()}.jsonl"

    def release(self) -> None:
        """Let other runs in, where this is the process that keeps them away."""
        if isinstance(self.lease, Lease):
            self.lease.release()

    def to_send(self) -> "Target":
        """Return one that another process may write to, as long as this run has it."""
        return replace(self, lease=self.lease.claimed) if isinstance(self.lease, Lease) else self


def open_target(mirror: Mirror, url: Url) -> Target:
    """Take a folder of a store for a run alone, and lay out what is there; it is to be released.

    Raises
    ------
    FileError
        Another run goes on there, or the store cannot be reached.
    """
    lease = Lease(url, url / LEDGER / "run")
    try:
        return Target(url, mirror.lay(url), lease)
    except BaseException:
        lease.release()
        raise
