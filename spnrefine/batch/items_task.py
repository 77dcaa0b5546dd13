"""Refine the items of an annotation file that were drawn on one photograph, and put nothing back yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spnrefine.annotations.items import Item
from spnrefine.batch.digests import Origin, digest, origin_of
from spnrefine.batch.portion import failed
from spnrefine.batch.task import Tools
from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.errors import FileError, SpnRefineError
from spnrefine.files import masks
from spnrefine.files.images import Photograph, read_photograph
from spnrefine.files.opening import read_bytes
from spnrefine.files.orientation import UPRIGHT, turn_boxed
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, Refined, Settings
from spnrefine.model.protocols import Image, Probability, RefinesMasks
from spnrefine.refiner.box import seen_box, view_of
from spnrefine.refiner.shared import Shared, share
from spnrefine.refiner.sheets import Objects
from spnrefine.refiner.touching import Together, touching


@dataclass(frozen=True, eq=False)
class Opened:
    """An item with its photograph and mask.

    ``orientation`` is that by which the mask was turned along with its photograph; ``refiner`` refines it alone, or
    with those that it touches or is seen together with, on which ``origin`` then depends as well.
    """

    item: Item
    image: Image
    coarse: Boxed
    orientation: int
    origin: Origin
    refiner: RefinesMasks | None

    def refine(self, tools: Tools, record: Record) -> tuple[Boxed, Refined]:
        """Refine the mask in its view, and say in ``record`` what became of it."""
        size = self.coarse.size  # a panorama is turned, and needs the whole
        view = Box(0, size[0], 0, size[1]) if tools.settings.wrap else view_of(self.coarse.box, *size)
        refined = replace(tools, refiner=self.refiner).refine(self._load(view), record)
        return Boxed(size, view, refined.after).tight(), replace(refined, view=view)

    def keep(self, tools: Tools, record: Record) -> tuple[Boxed, Refined]:
        """Take the coarse mask as it is, and say so in ``record``."""
        view = view_of(self.coarse.box, *self.coarse.size)
        return self.coarse, replace(job.keep(self._load(view), tools.settings, record), view=view)

    def _load(self, view: Box) -> Loaded:
        return Loaded(np.ascontiguousarray(self.image[view.slices]), masks.of_array(self.coarse.within(view)))


@dataclass(frozen=True)
class _Member:
    """Refines one of several masks together with the others."""

    together: Together
    position: int

    def __call__(self, image: Image, coarse: Probability) -> Probability:
        return self.together.probability(self.position)


@dataclass(frozen=True)
class _SeenWithOthers:
    """Refines a mask that the network sees in one pass with others of its photograph."""

    shared: Shared
    position: int
    view: Box

    def __call__(self, image: Image, coarse: Probability) -> Probability:
        return self.shared.within(self.view, self.position, coarse)


def open_items(items: Sequence[Item], tools: Tools) -> list[Opened | Record]:
    """Read the photograph of ``items``, and their masks; the records say which cannot be worked on.

    Masks that touch and do not overlap are to be refined jointly.
    """
    photograph = _Later(items[0], tools.settings)
    opened = [_open(item, photograph, tools) for item in items]
    good = [one for one in opened if isinstance(one, Opened)]
    refined_by = dict(zip(good, _refined_together(good, tools), strict=True))
    return [refined_by[one] if isinstance(one, Opened) else one for one in opened]


def _refined_together(good: list[Opened], tools: Tools) -> list[Opened]:
    """Let masks that touch be refined jointly, and small ones be seen together, whichever of them are refined."""
    if tools.refiner is None or tools.settings.wrap or not good:  # a panorama is turned for each mask on its own
        return good
    image, coarse = good[0].image, [one.coarse for one in good]
    size = coarse[0].size
    boxes = [mask.box for mask in coarse]
    objects = Objects(size, boxes, lambda at: coarse[at].within(seen_box(boxes[at], *size)).astype(np.float32))
    shared = share(tools.refiner, image, objects)
    keys = [one.origin.key.encode() for one in good]
    found = list(good)
    for at, one in enumerate(good):
        if at in shared:
            tile, view = shared.tile(at), view_of(one.coarse.box, *size)
            seen = repr((tile.box, tile.scale, len(tile.own))).encode()
            key = digest(keys[at], seen, *(keys[other] for other in (*tile.own, *tile.shown)))
            found[at] = replace(one, origin=one.origin._replace(key=key), refiner=_SeenWithOthers(shared, at, view))
    for group in touching(coarse):
        together = Together(
            tools.refiner, image, [coarse[at] for at in group], tools.settings.threshold, shared.of(group)
        )
        origins = [found[at].origin for at in group]
        for position, at in enumerate(group):
            origin = found[at].origin.touching(origins)
            found[at] = replace(found[at], origin=origin, refiner=_Member(together, position))
    return found


def _open(item: Item, photograph: "_Later", tools: Tools) -> Opened | Record:
    try:
        if item.problem:
            raise SpnRefineError(item.problem)
        read, contents = photograph.read()
        coarse, orientation = read_upright(item, read)
        origin = origin_of(tools.run, contents, coarse)
        return Opened(item, read.pixels, coarse, orientation, origin, tools.refiner)
    except Exception as error:  # whatever is wrong with one item, the others go on
        return failed(record_of(item), error)


class _Later:
    """The photograph of all items, read when the first asks for it, and the digest of its file."""

    def __init__(self, first: Item, settings: Settings):
        self._first, self._settings = first, settings
        self._read: tuple[Photograph, str] | None = None

    def read(self) -> tuple[Photograph, str]:
        if self._read is None:
            try:
                picture = self._first.picture
                self._read = read_photograph(picture, self._settings.bands), digest(read_bytes(picture))
            except FileError as error:
                if self._first.embedded is None:
                    raise
                what = f"{self._first.photograph} holds a photograph (imageData) that cannot be read"
                raise FileError(f"{what}: give --images, the folder of its file.") from error
        return self._read


def read_upright(item: Item, photograph: Photograph) -> tuple[Boxed, int]:
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


def record_of(item: Item) -> Record:
    """Return the record of an item with which nothing was done."""
    return Record(str(item.photograph), item.name)


@dataclass(frozen=True, eq=False)
class RefinedItem:
    """A refined mask that is to be put back.

    Attributes
    ----------
    record : of what was done.
    origin : what it was made from.
    mask : upright.
    orientation : as of `Opened`.
    image, refined : the photograph (H, W, 3) and its masks in their view, for those who show them.
    """

    record: Record
    origin: Origin
    mask: Boxed
    orientation: int
    image: Image | None
    refined: Refined | None


@dataclass(frozen=True)
class ItemsTask:
    """Refines items in another process.

    Attributes
    ----------
    items : all of a photograph, to be read alone.
    chosen : positions of those that are refined.
    shows : whether the photograph and its masks are sent back, to be shown.
    """

    items: Sequence[Item]
    chosen: Sequence[int]
    shows: bool

    def __call__(self, tools: Tools) -> list[RefinedItem | Record]:
        """Return for each of the chosen what is to be put back, or a record of what is wrong."""
        opened = open_items(self.items, tools)
        return [self._refine(opened[position], tools) for position in self.chosen]

    def _refine(self, one: Opened | Record, tools: Tools) -> RefinedItem | Record:
        if isinstance(one, Record):
            return one
        record = record_of(one.item)
        try:
            mask, refined = one.refine(tools, record)
            shown = (one.image, refined) if self.shows else (None, None)
            return RefinedItem(record, one.origin, mask, one.orientation, *shown)
        except Exception as error:  # as above
            return failed(record, error)
