"""Refine the items of an annotation file that were drawn on one photograph, and put them back into their document."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spnrefine.annotations.items import Item
from spnrefine.batch.digests import Origin
from spnrefine.batch.item_choices import Choice
from spnrefine.batch.items_task import ItemsTask, Opened, RefinedItem, open_items, record_of
from spnrefine.batch.portion import CHOSEN, Sendable, Work, failed
from spnrefine.batch.room import BYTES_A_PIXEL
from spnrefine.boxes.box import around
from spnrefine.boxes.boxed import NOWHERE, Boxed
from spnrefine.errors import FileError
from spnrefine.files.opening import count_pixels
from spnrefine.files.orientation import turn_boxed_back
from spnrefine.job.record import Record
from spnrefine.job.types import Refined
from spnrefine.model.protocols import Image

ShowItem = Callable[[Item, Record, Image, Refined], None]
"""Shows what became of an item, its photograph (H, W, 3) and its masks in their view, for instance by drawing them."""


@dataclass(frozen=True, eq=False)
class _Chosen:
    """An item by its position, opened, what an earlier run made of it, and what was asked for it by name."""

    position: int
    opened: Opened | Record
    kept: tuple[Boxed, Record] | None = None
    choice: Choice | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether it is to be refined."""
        return self.kept is None and isinstance(self.opened, Opened) and self.choice not in ("keep", "leave")


class ItemsPortion(Sendable):
    """Read a photograph once, refine the masks on it, and put them back into their document.

    Masks that touch and do not overlap are refined jointly. Refined masks are kept in the ledger, and those that it
    keeps are put back as they are. An item that fails stays as it was.

    Parameters
    ----------
    items : of one photograph.
    work : what it shares with other portions.
    output : of the document; the records name it.
    show : called for each item that is put back. An error that it raises is the item's.
    choices : what was asked for by name, see `choose_items`. Of those to be left what was last made is put back, and
        there is no record of them unless that fails.
    """

    def __init__(
        self,
        items: Sequence[Item],
        work: Work,
        output: Path,
        show: ShowItem | None = None,
        choices: Mapping[Item, Choice] | None = None,
    ):
        super().__init__(work)
        self._items, self._output, self._show, self._choices = items, output, show, choices or {}
        self._positions: Sequence[int] = range(len(items))  # of the chosen: what waits for its turn holds no picture
        self._opened: list[_Chosen] = []  # while another process works on some of them

    def limit(self, most: int) -> int:
        """Leave out fresh items past the limit; the run goes on, to put back those that the ledger keeps."""
        chosen = []
        fresh = 0
        for one in self._open_all():
            if one.kept is not None or one.choice == "leave":
                chosen.append(one.position)
            elif fresh < most:
                chosen.append(one.position)
                fresh += 1
        self._positions = chosen
        self._let_go()
        return fresh

    def memory(self) -> int:
        """Estimate as said there; the masks of a photograph, all held at once, take their boxes alone."""
        try:
            picture = self._items[0].picture
        except FileError:
            return 0
        return BYTES_A_PIXEL * count_pixels(picture)

    def run(self) -> list[Record]:
        """Refine the items, or put back what was refined before."""
        records = []
        for one in self._open_all():
            if self._work.stop.asked:
                break
            records.append(self._run_one(one))
            self._work.step()
        self._let_go()
        return _told(records)

    def task(self) -> ItemsTask | None:
        """Return what another process is to do with the items, those that no earlier run has done."""
        positions = self._positions
        if self._work.outputs.resume:
            self._opened = self._open_all()
            positions = [one.position for one in self._opened if one.is_fresh]
        if not positions:
            return None
        return ItemsTask([item.to_read() for item in self._items], positions, self._show is not None)

    def finish(self, result: Sequence[RefinedItem | Record]) -> list[Record]:
        """Put back what another process refined, and what was refined before."""
        found: list[Record | None]
        if not self._work.outputs.resume:
            found = [self._take(self._items[at], one) for at, one in zip(self._positions, result, strict=True)]
        else:
            opened, self._opened, fresh = self._opened, [], iter(result)
            found = [
                self._take(self._items[one.position], next(fresh)) if one.is_fresh else self._run_one(one)
                for one in opened
            ]
        self._let_go()
        return _told(found)

    def give_up(self, error: Exception) -> list[Record]:
        """Return the records of items that failed."""
        items = (self._items[position] for position in self._positions)
        return [failed(record_of(item), error) for item in items if self._choices.get(item) != "leave"]

    @property
    def inputs(self) -> list[Path]:
        """The photograph."""
        return [self._items[0].photograph]

    def _let_go(self) -> None:
        """Hold nothing of the photograph that can be read again."""
        for item in self._items:
            item.forget()

    def _open_all(self) -> list[_Chosen]:
        """Open all items, as which are refined together depends on all, and return the chosen ones."""
        opened = open_items(self._items, self._work.tools)
        chosen = []
        for at in self._positions:
            one, choice = opened[at], self._choices.get(self._items[at])
            kept = self._earlier(one, choice) if isinstance(one, Opened) else None
            chosen.append(_Chosen(at, one, kept, choice))
        return chosen

    def _earlier(self, one: Opened, choice: Choice | None) -> tuple[Boxed, Record] | None:
        """Return what an earlier run made of an item, where that is to be put back."""
        outputs, size = self._work.outputs, one.coarse.size
        if choice is not None:
            return outputs.ledger.kept_last(one.origin.inputs, size) if choice == "leave" else None
        decided = outputs.kept_choice(one.origin.inputs, size)
        if decided is None:
            return outputs.kept(one.origin, size)
        mask, record = decided
        return mask, replace(record, notes=[*record.notes, CHOSEN])

    def _run_one(self, chosen: _Chosen) -> Record | None:
        one, leaves = chosen.opened, chosen.choice == "leave"
        if isinstance(one, Record) or (leaves and chosen.kept is None):
            return one if isinstance(one, Record) and not leaves else None
        own = record_of(one.item)
        try:
            if chosen.kept is not None:
                mask, before = chosen.kept
                _write(one.item, mask, one.orientation)
                refined, own = _seen_again(one.coarse, mask), replace(before, image=own.image, mask=own.mask)
            elif chosen.choice == "keep":
                mask, refined = one.keep(self._work.tools, own)
                self._put_back(one.item, mask, one.orientation, one.origin._replace(key=""), own)
            else:
                mask, refined = one.refine(self._work.tools, own)
                self._put_back(one.item, mask, one.orientation, one.origin, own)
            shown = self._shown(one.item, own, one.image, refined)
            return None if leaves else shown
        except Exception as error:  # whatever is wrong with one item, the others go on
            return failed(record_of(one.item), error)

    def _take(self, item: Item, result: RefinedItem | Record) -> Record:
        """Put back what another process made of an item."""
        if isinstance(result, Record):
            return result
        try:
            self._put_back(item, result.mask, result.orientation, result.origin, result.record)
            return self._shown(item, result.record, result.image, result.refined)
        except Exception as error:  # as above
            return failed(record_of(item), error)

    def _put_back(self, item: Item, mask: Boxed, orientation: int, origin: Origin, record: Record) -> None:
        _write(item, mask, orientation)
        self._work.outputs.ledger.keep(origin, mask, record, chosen=item in self._choices)

    def _shown(self, item: Item, record: Record, image: Image | None, refined: Refined | None) -> Record:
        if self._show is not None and image is not None and refined is not None:
            self._show(item, record, image, refined)
        return replace(record, output=str(self._output))


def items_portions(
    items: Iterable[Item],
    work: Work,
    output: Path,
    show: ShowItem | None = None,
    choices: Mapping[Item, Choice] | None = None,
) -> Iterator[ItemsPortion]:
    """Make a portion of the items of each photograph, the first item's first; parameters as of `ItemsPortion`."""
    groups: dict[Path, list[Item]] = {}
    for item in items:
        groups.setdefault(item.photograph, []).append(item)
    for group in groups.values():
        yield ItemsPortion(group, work, output, show, choices)


def _told(records: Iterable[Record | None]) -> list[Record]:
    return [record for record in records if record is not None]


def _seen_again(coarse: Boxed, mask: Boxed) -> Refined:
    """Return what became of a mask, as its refinement would have."""
    view = around([found.box for found in (mask, coarse) if found.box.height] or [NOWHERE])
    after = mask.within(view)
    return Refined(after.astype(np.float32), coarse.within(view), after, view=view)


def _write(item: Item, mask: Boxed, orientation: int) -> None:
    item.write(turn_boxed_back(mask, orientation))
