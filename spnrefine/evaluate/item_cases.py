"""Cases whose coarse masks are items of annotation files, all of one photograph together, as `batch` refines them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from spnrefine.annotations.items import Item
from spnrefine.batch.items_task import Opened, open_items
from spnrefine.batch.task import Tools
from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError
from spnrefine.evaluate.subjects import Found, Source, Subject, read_made, read_truth
from spnrefine.files.images import read_photograph
from spnrefine.files.masks import of_array
from spnrefine.files.truth import ObjectTruth
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded


@dataclass(frozen=True)
class Chosen:
    """An object that is measured: the position of its coarse item, its truth, and what other methods made of it."""

    position: int
    truth: Source
    others: tuple[tuple[str, Source], ...] = ()
    category: str | None = None


@dataclass(frozen=True)
class ItemsCase:
    """A photograph with all coarse items on it, of which some are measured."""

    stem: str
    items: Sequence[Item]
    chosen: Sequence[Chosen]

    def open(self, tools: Tools, truth_void: int | None) -> Iterator[Subject]:
        """Read and yield the objects; errors as of `spnrefine.evaluate.subjects.Case.open`."""
        opened = open_items(self.items, tools)
        photograph = read_photograph(self.items[0].picture, tools.settings.bands)
        for each in self.chosen:
            one = opened[each.position]
            if not isinstance(one, Opened):
                raise FileError(one.error)
            loaded = Loaded(one.image, of_array(np.asarray(one.coarse)))
            truth = read_truth(each.truth, photograph, truth_void)
            _check_same(one, opened, truth)
            others = {name: read_made(source, photograph, tools.settings) for name, source in each.others}
            name = f"{self.stem}#{one.item.identity}"
            called = str(one.item.photograph), one.item.name
            refine = partial(_refined, one, tools)
            yield Subject(name, loaded, truth, refine, others, each.category, *called)


def _check_same(one: Opened, opened: Sequence[Opened | Record], truth: ObjectTruth) -> None:
    """Refuse an item that has the name of a truth and lies elsewhere, where another item lies there."""

    def lies_there(item: Opened) -> bool:
        return bool(truth.inside[item.coarse.box.slices][item.coarse.pixels].any())

    if not lies_there(one) and any(lies_there(item) for item in opened if isinstance(item, Opened)):
        raise FileError(
            f"{one.item.name} lies beside the true object of this name, where another lies: give annotations of equal "
            "ids, or measure with 'spnrefine eval-instances'."
        )


def _refined(one: Opened, tools: Tools) -> Found:
    mask, refined = one.refine(tools, Record("", None))
    height, width = mask.size
    view = refined.view or Box(0, height, 0, width)
    return Found(np.asarray(mask), np.asarray(Boxed(mask.size, view, refined.probability)))
