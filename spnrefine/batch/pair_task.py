"""Refine the mask of one pair of files, and write nothing yet."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from spnrefine.batch.digests import input_keys
from spnrefine.batch.pairs import Pair
from spnrefine.batch.portion import failed
from spnrefine.batch.task import Tools
from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files import labelmaps, masks
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Refined
from spnrefine.model.protocols import Image


@dataclass(frozen=True, eq=False)
class RefinedPair:
    """A refined mask that is to be written.

    Attributes
    ----------
    record : of what was done.
    output : where ``data``, the encoded mask, goes.
    key, inputs : digest what it was made from, and how; and what it was made from alone.
    resized : the mask has other pixels than the coarse one's file.
    image, refined : the photograph (H, W, 3) and its masks, for those who show them.
    """

    record: Record
    output: Path
    key: str
    inputs: str
    data: bytes
    resized: bool
    image: Image | None
    refined: Refined | None


def refine_pair(pair: Pair, tools: Tools, record: Record, check: Callable[[Path], None]) -> RefinedPair:
    """Read a photograph and its mask and refine this.

    Parameters
    ----------
    check : refuses an output that may not be written, before work is spent on it.

    Raises
    ------
    SpnRefineError
        It is to be kept and has no mask, a file cannot be read, the two do not fit, or ``check`` says no.
    """
    keep = pair.choice == "keep"
    if keep and pair.mask is None:
        raise SpnRefineError("it has no coarse mask: leave it out of --keep-coarse.")
    loaded = job.load(pair.photograph, pair.mask, tools.settings, tools.maker)
    output = pair.folder / (pair.stem + masks.extension(loaded.mask))
    check(output)
    key, inputs = pair_keys(pair, tools.run)
    refined = job.keep(loaded, tools.settings, record) if keep else tools.refine(loaded, record)
    data = job.encode(loaded, refined, tools.settings)
    return RefinedPair(record, output, key, inputs, data, loaded.resized, loaded.image, refined)


@dataclass(frozen=True)
class PairTask:
    """Refines a pair in another process.

    Attributes
    ----------
    record : what is known of it before.
    refused : why outputs may not be written, by their extensions.
    shows : whether the photograph and its masks are sent back, to be shown.
    """

    pair: Pair
    record: Record
    refused: Mapping[str, str]
    shows: bool

    def __call__(self, tools: Tools) -> "RefinedPair | Record":
        """Return what is to be written, or a record of what is wrong."""
        try:
            done = refine_pair(self.pair, tools, self.record, self._check)
        except Exception as error:  # whatever is wrong with one file, the others go on
            return failed(self.record, error)
        return done if self.shows else replace(done, image=None, refined=None)

    def _check(self, output: Path) -> None:
        if output.suffix in self.refused:
            raise FileError(self.refused[output.suffix])


def record_of(pair: Pair) -> Record:
    """Return the record of a pair with which nothing was done."""
    return Record(str(pair.photograph), None if pair.mask is None else str(pair.mask))


def suffixes(pair: Pair) -> list[str]:
    """Return the extensions that the refined mask of a pair may have, its own first."""
    own = pair.mask.suffix if pair.mask else ".png"
    return list(dict.fromkeys((own, *masks.EXTENSIONS.values())))


def pair_keys(pair: Pair, run: str) -> tuple[str, str]:
    """Digest all files that a result depends on: the meaning of a mask's colours may stand in one of its own."""
    labelmap = labelmaps.find_labelmap(pair.mask) if pair.mask else None
    return input_keys(run, *pair.inputs, *([labelmap] if labelmap else []))
