"""Work through the masks of an annotation file, a photograph at a time, on several threads."""

import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.items import Document, Item
from spnrefine.batch import job
from spnrefine.batch.job import Loaded, RefinesMasks, Settings
from spnrefine.batch.record import Record
from spnrefine.batch.threads import in_order
from spnrefine.errors import SpnRefineError
from spnrefine.files import atomic, masks
from spnrefine.files.images import read_image

Show = Callable[[Record, NDArray[np.uint8], job.Refined], None]


def refine_items(
    items: Sequence[Item], refiner: RefinesMasks, settings: Settings, *, jobs: int, also: Show | None = None
) -> Generator[Record]:
    """Refine every item, put it back into its document, and yield its record, in their order.

    Items of one photograph that follow each other read it once. One that fails stays as it was and stops nothing.
    ``also`` is called, by several threads, for each that was refined.
    """
    groups = (list(group) for _, group in groupby(items, key=lambda item: item.photograph))
    calls = (partial(_refine_group, group, refiner, settings, also) for group in groups)
    for records in in_order(calls, jobs):
        yield from records


def planned_outputs(document: Document, output: Path) -> dict[Path, Path]:
    """Say where each file of a document goes: relative path to output, a file for a file, a tree for a folder."""
    single = not document.path.is_dir()
    return {file.path: output if single else output / file.path for file in document.files}


def check_outputs(document: Document, output: Path, *, overwrite: bool) -> None:
    """Refuse, before any work is done, outputs that exist or are the document's own files."""
    for relative, path in planned_outputs(document, output).items():
        atomic.check_output(path, overwrite=overwrite, inputs=[_source(document, relative)])


def write_outputs(document: Document, output: Path, *, overwrite: bool) -> None:
    """Write the refined document."""
    data = document.outputs()
    for relative, path in planned_outputs(document, output).items():
        atomic.write_bytes(path, data[relative], overwrite=overwrite, inputs=[_source(document, relative)])


def _source(document: Document, relative: Path) -> Path:
    return document.path / relative if document.path.is_dir() else document.path


def _refine_group(items: list[Item], refiner: RefinesMasks, settings: Settings, also: Show | None) -> list[Record]:
    image = None
    records = []
    for item in items:
        record = Record(str(item.photograph), item.name)
        try:
            if item.problem:
                raise SpnRefineError(item.problem)
            if image is None:
                image = read_image(item.photograph)
            coarse = item.read(image.shape[:2])
            start = time.perf_counter()
            refined = job.refine(Loaded(image, masks.of_array(coarse)), refiner, settings, record)
            record.seconds = round(time.perf_counter() - start, 4)
            item.write(refined.after)
            if also:
                also(record, image, refined)
        except Exception as error:  # whatever is wrong with one item, the others go on
            record.status = "failed"
            record.error = str(error) if isinstance(error, SpnRefineError) else f"{type(error).__name__}: {error}"
        records.append(record)
    return records
