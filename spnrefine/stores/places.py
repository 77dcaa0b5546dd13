"""What of a batch lies in stores: its photographs, its masks, its outputs, its records."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from spnrefine.batch import place
from spnrefine.batch.digests import digest
from spnrefine.batch.pairs import Pair
from spnrefine.batch.portion import Portion, Work
from spnrefine.files import labelmaps
from spnrefine.stores import store
from spnrefine.stores.item import StorePortion
from spnrefine.stores.mirror import Mirror
from spnrefine.stores.target import LEDGER, Target, open_target
from spnrefine.stores.urls import Url, is_url

Stamp = tuple[int, int, int] | None
"""By what it is seen that a file was written to; None where there is none."""


class Places:
    """The stores of a batch, and the paths by which the rest of the program knows what is in them.

    Parameters
    ----------
    output : folder of the refined masks.
    writes : the run is to write; a second one that would is refused from here on.

    Raises
    ------
    FileError
        A store cannot be reached, or another run writes there.
    MissingExtraError
        A package that a store needs is not installed.
    """

    def __init__(self, output: str | Path, *, writes: bool):
        self._mirror = Mirror()
        self._target: Target | None = None
        self._growing: dict[Url, tuple[Path, Stamp]] = {}
        try:
            if is_url(output):
                url = self._url(output)
                if writes:
                    self._target = open_target(self._mirror, url)
                else:
                    self._mirror.lay(url)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let other runs in, and delete what was fetched."""
        if self._target is not None:
            self._target.release()
        self._mirror.close()

    @property
    def left_out(self) -> list[str]:
        """In sentences, which objects can have no path."""
        return self._mirror.left_out

    def folder(self, given: str | Path) -> Path:
        """Return the path of a folder, whose objects are listed where it is in a store."""
        return self._mirror.lay(self._url(given)) if is_url(given) else Path(given)

    def output(self, given: str | Path) -> Path:
        """Return the path of the folder of outputs."""
        if not is_url(given):
            return Path(given)
        url = self._url(given)
        path = self._mirror.path(url)
        if self._target is not None:
            self._take(url / LEDGER / "run.jsonl", place.beside(path))
            self._take(url / labelmaps.NAME, path / labelmaps.NAME)
        return path

    def file(self, given: str) -> str:
        """Return the path of a file that is put whole when the run ends; what is there is fetched."""
        if not is_url(given):
            return given
        url = self._url(given)
        path = self._mirror.path(url)
        if self._target is not None:  # where the ledger knows it by the same name in a later run
            path = self._target.path / LEDGER / digest(str(url).encode("utf-8", "surrogatepass"))
            self._mirror.stand(path, url)
        self._take(url, path)
        return str(path)

    def said(self, text: str) -> str:
        """Say a text with URLs in the place of the paths that stand for them."""
        return self._mirror.said(text)

    def portions(self, pairs: Iterable[Pair], work: Work) -> Iterator[Portion]:
        """Return what the batch works through."""
        return (StorePortion(pair, work, self._mirror, self._target) for pair in pairs)

    def put(self) -> None:
        """Put the files that the run wrote for all of it, such as its records.

        Raises
        ------
        FileError
            The store does not take one of them.
        """
        for url, (path, before) in self._growing.items():
            if _stamp(path) not in (None, before):
                store.put(url, path.read_bytes(), replace=True)

    def _take(self, url: Url, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        store.fetch(url, path)
        self._growing[url] = path, _stamp(path)

    @staticmethod
    def _url(given: str | Path) -> Url:
        url = Url.of(str(given))
        store.check_installed(url.scheme)
        return url


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
