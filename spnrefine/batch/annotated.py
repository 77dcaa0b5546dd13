"""Work through the masks of an annotation file, a photograph at a time, on several threads."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.items import Document, Item
from spnrefine.batch.ledger import Ledger, digest
from spnrefine.batch.threads import in_order
from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files import atomic, masks
from spnrefine.files.images import Photograph, read_photograph
from spnrefine.files.opening import read_bytes
from spnrefine.files.orientation import UPRIGHT, turn, turn_back
from spnrefine.job import job
from spnrefine.job.job import Loaded, Refined, Settings
from spnrefine.job.record import Record
from spnrefine.model.protocols import RefinesMasks

Mask = NDArray[np.bool_]
Show = Callable[[Record, NDArray[np.uint8], Refined], None]


@dataclass(frozen=True)
class Work:
    """How the items of a document are worked through.

    ``refiner`` is called by ``jobs`` threads at once. Refined masks are kept in ``ledger``; with ``resume`` those it
    keeps are put back as they are. At most ``most`` others are refined, and the rest stays as it came. ``also`` is
    called, by several threads, for each item that was put back.
    """

    refiner: RefinesMasks
    settings: Settings
    ledger: Ledger
    jobs: int = 1
    resume: bool = False
    most: int | None = None
    also: Show | None = None


@dataclass(eq=False)
class _Opened:
    """An item with its photograph and mask, and what an earlier run made of it; or a record that says what is wrong."""

    item: Item
    record: Record
    image: NDArray[np.uint8] | None = None
    coarse: Mask | None = None
    orientation: int = UPRIGHT  # by which the mask was turned along with its photograph
    key: str = ""
    kept: tuple[Mask, Record] | None = None


def refine_items(items: Sequence[Item], work: Work) -> Generator[Record]:
    """Refine every item, put it back into its document, and yield its record, in their order.

    Items of one photograph that follow each other read it once. One that fails stays as it was and stops nothing.
    """
    for records in in_order(_calls(items, work), work.jobs):
        yield from records


def _calls(items: Sequence[Item], work: Work) -> Iterator[Callable[[], list[Record]]]:
    started = 0
    for _, group in groupby(items, key=lambda item: item.photograph):
        if work.most is None:
            yield partial(_refine_group, list(group), work)
            continue
        chosen = []  # here and not in a thread, so that it does not depend on chance which ones are refined
        for one in _open(list(group), work):
            if one.kept is None and started >= work.most:
                continue
            started += one.kept is None
            chosen.append(one)
        yield partial(_refine_opened, chosen, work)


def _refine_group(items: list[Item], work: Work) -> list[Record]:
    return _refine_opened(_open(items, work), work)


def _open(items: list[Item], work: Work) -> list[_Opened]:
    opened = []
    photograph, contents = None, ""
    for item in items:
        one = _Opened(item, Record(str(item.photograph), item.name))
        opened.append(one)
        try:
            if item.problem:
                raise SpnRefineError(item.problem)
            if photograph is None:
                contents = digest(read_bytes(item.photograph))
                photograph = read_photograph(item.photograph)
            one.image = photograph.pixels
            one.coarse, one.orientation = _read_upright(item, photograph)
            one.key = work.ledger.mask_key(contents, one.coarse)
            one.kept = work.ledger.kept(one.key) if work.resume else None
        except Exception as error:  # whatever is wrong with one item, the others go on
            one.record = _failed(one.record, error)
    return opened


def _read_upright(item: Item, photograph: Photograph) -> tuple[Mask, int]:
    """Read a mask, and turn one that is stated to be of the photograph's stored pixels as EXIF turns those."""
    height, width = photograph.pixels.shape[:2]
    try:
        return item.read((height, width)), UPRIGHT
    except FileError as error:
        if photograph.orientation not in (5, 6, 7, 8):
            raise
        try:
            stored = item.read((width, height))
        except FileError:
            raise error from None
        return np.ascontiguousarray(turn(stored, photograph.orientation)), photograph.orientation


def _put_back(one: _Opened, mask: Mask) -> None:
    one.item.write(np.ascontiguousarray(turn_back(mask, one.orientation)))


def _refine_opened(opened: list[_Opened], work: Work) -> list[Record]:
    records = []
    for one in opened:
        try:
            records.append(_refine_one(one, work))
        except Exception as error:  # as above
            records.append(_failed(one.record, error))
    return records


def _refine_one(one: _Opened, work: Work) -> Record:
    record = one.record
    if one.image is None or one.coarse is None:
        return record
    if one.kept is not None:
        mask, before = one.kept
        record = replace(before, image=record.image, mask=record.mask)
        refined = Refined(mask.astype(np.float32), one.coarse, mask)
        _put_back(one, mask)
    else:
        start = time.perf_counter()
        loaded = Loaded(one.image, masks.of_array(one.coarse))
        refined = job.refine(loaded, work.refiner, work.settings, record)
        record.seconds = round(time.perf_counter() - start, 4)
        _put_back(one, refined.after)
        work.ledger.keep(one.key, refined.after, record)
    if work.also:
        work.also(record, one.image, refined)
    return record


def _failed(record: Record, error: Exception) -> Record:
    text = str(error) if isinstance(error, SpnRefineError) else f"{type(error).__name__}: {error}"
    return replace(record, status="failed", error=text)


def check_outputs(document: Document, output: Path, ledger: Ledger, *, overwrite: bool, resume: bool) -> None:
    """Refuse, before any work is done, outputs that are the document's own files, or exist.

    With ``resume`` those that an earlier run wrote may exist.
    """
    for relative, path in _planned(document, output).items():
        replaces = overwrite or (resume and ledger.may_replace(path))
        atomic.check_output(path, overwrite=replaces, inputs=[_source(document, relative)])


def write_outputs(document: Document, output: Path, ledger: Ledger, *, overwrite: bool, resume: bool) -> None:
    """Write the refined document."""
    data = document.outputs()
    for relative, path in _planned(document, output).items():
        replaces = overwrite or (resume and ledger.may_replace(path))
        ledger.write(path, data[relative], overwrite=replaces, inputs=[_source(document, relative)])


def _planned(document: Document, output: Path) -> dict[Path, Path]:
    """Say where each file of a document goes: relative path to output, a file for a file, a tree for a folder."""
    single = not document.path.is_dir()
    return {file.path: output if single else output / file.path for file in document.files}


def _source(document: Document, relative: Path) -> Path:
    return document.path / relative if document.path.is_dir() else document.path
