"""Refine the items of an annotation file that were drawn on one photograph, and put them back into their document."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from spnrefine.annotations.items import Item
from spnrefine.batch.digests import digest
from spnrefine.batch.portion import Portion, Work, failed
from spnrefine.batch.room import BYTES_A_PIXEL
from spnrefine.boxes.box import Box, around
from spnrefine.boxes.boxed import NOWHERE, Boxed
from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files import masks
from spnrefine.files.images import Photograph, read_photograph
from spnrefine.files.opening import count_pixels, read_bytes
from spnrefine.files.orientation import UPRIGHT, turn_boxed, turn_boxed_back
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, Refined
from spnrefine.model.protocols import Image, Probability, RefinesMasks
from spnrefine.refiner.box import view_of
from spnrefine.refiner.touching import Together, touching

ShowItem = Callable[[Item, Record, Image, Refined], None]
"""Shows what became of an item, its photograph (H, W, 3) and its masks in their view, for instance by drawing them."""


@dataclass(frozen=True, eq=False)
class _Opened:
    """An item with its photograph and mask, and what an earlier run made of it.

    ``orientation`` is that by which the mask was turned along with its photograph; ``refiner`` refines it alone, or
    with those that it touches, on which ``key`` then depends as well.
    """

    item: Item
    image: Image
    coarse: Boxed
    orientation: int
    key: str
    refiner: RefinesMasks | None
    kept: tuple[Boxed, Record] | None = None

    def put_back(self, mask: Boxed) -> None:
        self.item.write(turn_boxed_back(mask, self.orientation))


@dataclass(frozen=True)
class _Member:
    """Refines one of several masks together with the others."""

    together: Together
    position: int

    def __call__(self, image: Image, coarse: Probability) -> Probability:
        return self.together.probability(self.position)


class ItemsPortion(Portion):
    """Read a photograph once, refine the masks on it, and put them back into their document.

    Masks that touch and do not overlap are refined jointly. Refined masks are kept in the ledger, and those that it
    keeps are put back as they are. An item that fails stays as it was.

    Parameters
    ----------
    items : of one photograph.
    work : what it shares with other portions.
    output : of the document; the records name it.
    show : called for each item that is put back. An error that it raises is the item's.
    """

    def __init__(self, items: Sequence[Item], work: Work, output: Path, show: ShowItem | None = None):
        self._items, self._work, self._output, self._show = items, work, output, show
        self._chosen: set[int] | None = None  # by position: what waits for its turn holds no picture

    def limit(self, most: int) -> int:
        """Leave out fresh items past the limit; the run goes on, to put back those that the ledger keeps."""
        chosen: set[int] = set()
        fresh = 0
        for number, one in enumerate(self._open_all()):
            if isinstance(one, _Opened) and one.kept is not None:
                chosen.add(number)
            elif fresh < most:
                chosen.add(number)
                fresh += 1
        self._chosen = chosen
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
        for number, one in enumerate(self._open_all()):
            if self._chosen is not None and number not in self._chosen:
                continue
            if self._work.stop.asked:
                break
            records.append(one if isinstance(one, Record) else self._run_one(one))
        self._let_go()
        return records

    def _let_go(self) -> None:
        """Hold nothing of the photograph that can be read again."""
        vars(self).pop("_photograph", None)
        for item in self._items:
            item.forget()

    def _open_all(self) -> list[_Opened | Record]:
        opened = [self._open(item) for item in self._items]
        good = [one for one in opened if isinstance(one, _Opened)]
        joined: dict[_Opened, _Opened] = {}
        for group in touching([one.coarse for one in good]):
            joined |= self._join([good[position] for position in group])
        outputs = self._work.outputs
        for number, one in enumerate(opened):
            if isinstance(one, _Opened):
                one = joined.get(one, one)
                opened[number] = replace(one, kept=outputs.kept(one.key, one.coarse.size))
        return opened

    def _join(self, group: list[_Opened]) -> dict[_Opened, _Opened]:
        """Let the members of a group that touch be refined jointly, whichever of them are refined."""
        if self._work.refiner is None or self._work.settings.wrap:  # a panorama is turned for each mask on its own
            return {}
        masks = [one.coarse for one in group]
        together = Together(self._work.refiner, group[0].image, masks, self._work.settings.threshold)
        keys = [one.key.encode() for one in group]
        return {
            one: replace(one, key=digest(one.key.encode(), *keys), refiner=_Member(together, position))
            for position, one in enumerate(group)
        }

    def _open(self, item: Item) -> _Opened | Record:
        try:
            if item.problem:
                raise SpnRefineError(item.problem)
            photograph, contents = self._photograph
            coarse, orientation = _read_upright(item, photograph)
            key = self._work.outputs.ledger.mask_key(contents, coarse)
            return _Opened(item, photograph.pixels, coarse, orientation, key, self._work.refiner)
        except Exception as error:  # whatever is wrong with one item, the others go on
            return failed(_record(item), error)

    @cached_property
    def _photograph(self) -> tuple[Photograph, str]:
        """The photograph of all items, and the digest of its file."""
        first = self._items[0]
        try:
            return read_photograph(first.picture, self._work.settings.bands), digest(read_bytes(first.picture))
        except FileError as error:
            if first.embedded is None:
                raise
            what = f"{first.photograph} holds a photograph (imageData) that cannot be read"
            raise FileError(f"{what}: give --images, the folder of its file.") from error

    def _run_one(self, one: _Opened) -> Record:
        own = _record(one.item)
        try:
            record, refined = self._refine(one, own) if one.kept is None else _take_up(one, *one.kept, own)
            if self._show is not None:
                self._show(one.item, record, one.image, refined)
            return replace(record, output=str(self._output))
        except Exception as error:  # as above
            return failed(own, error)

    def _refine(self, one: _Opened, record: Record) -> tuple[Record, Refined]:
        work = replace(self._work, refiner=one.refiner)
        view = self._view(one.coarse.box, one.coarse.size)
        image = np.ascontiguousarray(one.image[view.slices])
        refined = work.refine(Loaded(image, masks.of_array(one.coarse.within(view))), record)
        after = Boxed(one.coarse.size, view, refined.after).tight()
        one.put_back(after)
        self._work.outputs.ledger.keep(one.key, after, record)
        return record, replace(refined, view=view)

    def _view(self, box: Box, size: tuple[int, int]) -> Box:
        """Return in which box of the photograph a mask is refined; a panorama is turned, and needs the whole."""
        return Box(0, size[0], 0, size[1]) if self._work.settings.wrap else view_of(box, *size)


def items_portions(
    items: Iterable[Item], work: Work, output: Path, show: ShowItem | None = None
) -> Iterator[ItemsPortion]:
    """Make a portion of the items of each photograph, the first item's first; parameters as of `ItemsPortion`."""
    groups: dict[Path, list[Item]] = {}
    for item in items:
        groups.setdefault(item.photograph, []).append(item)
    for group in groups.values():
        yield ItemsPortion(group, work, output, show)


def _record(item: Item) -> Record:
    return Record(str(item.photograph), item.name)


def _take_up(one: _Opened, mask: Boxed, before: Record, own: Record) -> tuple[Record, Refined]:
    """Put back what an earlier run made of an item; its record speaks under the names of this run."""
    one.put_back(mask)
    view = around([found.box for found in (mask, one.coarse) if found.box.height] or [NOWHERE])
    after = mask.within(view)
    refined = Refined(after.astype(np.float32), one.coarse.within(view), after, view=view)
    return replace(before, image=own.image, mask=own.mask), refined


def _read_upright(item: Item, photograph: Photograph) -> tuple[Boxed, int]:
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
        return turn_boxed(stored, photograph.orientation), photograph.orientation
