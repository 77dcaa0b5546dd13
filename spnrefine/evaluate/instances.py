"""Instances of photographs: what is true, what was found, and what became of that, all masks in their boxes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.items import Item
from spnrefine.batch.folders import named
from spnrefine.batch.items_task import Opened, open_items, read_upright
from spnrefine.batch.task import Tools
from spnrefine.boxes.boxed import Boxed
from spnrefine.boxes.ids import find_ids
from spnrefine.errors import FileError
from spnrefine.evaluate.sides import Annotated, Side, open_side
from spnrefine.evaluate.subjects import read_fitting
from spnrefine.files.images import Photograph, Photographs
from spnrefine.files.masks import Mask
from spnrefine.files.stems import name_below
from spnrefine.files.truth import read_labels
from spnrefine.job import job
from spnrefine.job.record import Record

COARSE, REFINED = "coarse", "refined"
ANY = "object"  # the category of what has none


@dataclass(frozen=True, eq=False)
class Instance:
    """An object: its ``mask``, of bools, what it is, how sure is who found it, and whether it stands for many."""

    mask: Boxed
    category: str | None = None
    score: float | None = None
    crowd: bool = False


class Picture(NamedTuple):
    """The instances of one photograph.

    ``true`` are its instances, ``void`` (H, W) the pixels that nobody knows about, ``found`` those of each method,
    ``path`` where it lies.
    """

    name: str
    true: list[Instance]
    void: NDArray[np.bool_]
    found: dict[str, list[Instance]]
    path: Path = Path()


@dataclass(frozen=True)
class InstanceCases:
    """Photographs whose truth is known, with what was found on them; read one after another.

    Attributes
    ----------
    images : the folder of the photographs.
    photographs : all that the truth speaks of.
    coarse, truth : sides of the comparison.
    others : what other methods found, by their names.
    """

    images: Path
    photographs: Sequence[Path]
    coarse: Side
    truth: Side
    others: Mapping[str, Side]

    @property
    def problems(self) -> list[str]:
        """What is wrong with items that cannot be read, which are left out."""
        sides = (self.truth, self.coarse, *self.others.values())
        return [problem for side in sides for problem in side.problems]

    @property
    def unmatched(self) -> list[str]:
        """Say what has no partner: photographs of the truth without a map, and what was found on others."""
        said = []
        for side in (self.coarse, *self.others.values()):
            without = [] if isinstance(side, Annotated) else sorted(set(self.photographs) - side.photographs)
            beyond = sorted(
                {photograph for photograph in side.photographs if side.all_of(photograph)} - {*self.photographs}
            )
            if without:
                said.append(f"{side.path} has no map of {named(without)}: nothing is found there.")
            if beyond:
                said.append(f"Left out: what {side.path} has of {named(beyond)}, which the truth does not know.")
        return said

    def __len__(self) -> int:
        return len(self.photographs)

    def read(self, tools: Tools, truth_void: int | None) -> Iterator[Picture]:
        """Read and refine the instances of each photograph.

        Raises
        ------
        ShapeError
            The files of a photograph differ in size.
        FileError
            One cannot be read, or is no map of instances; or true maps hold nothing beside what is usually void.
        """
        objects = any_void = False
        for path in self.photographs:
            photographs = Photographs(path, tools.settings.bands)
            photograph = photographs[0]
            true, void = self._true(path, photograph, truth_void)
            objects |= bool(true)
            any_void |= bool(void.any())
            found: dict[str, list[Instance]] = {COARSE: [], REFINED: []}
            sources = self.coarse.all_of(path)
            if sources and isinstance(sources[0], Path):
                found = _refined_map(path, photographs, photograph, sources[0], tools)
            elif sources:
                found = _refined_items([item for item in sources if isinstance(item, Item)], tools)
            for name, side in self.others.items():
                found[name] = _made(side.all_of(path), photograph, tools)
            yield Picture(name_below(path, self.images), true, void, found, path)
        if truth_void is None and any_void and not objects:
            raise FileError(
                f"The maps in {self.truth.path} hold 0 and 255 alone, and 255 is void among ids: measure masks of "
                "objects with 'spnrefine eval', or give --truth-void 255 to have it so."
            )

    def _true(self, path: Path, photograph: Photograph, void: int | None) -> tuple[list[Instance], NDArray[np.bool_]]:
        sources = self.truth.all_of(path)
        none = np.zeros(photograph.pixels.shape[:2], np.bool_)
        if not sources or isinstance(sources[0], Item):
            return [_of_item(item, photograph) for item in sources if isinstance(item, Item)], none
        truth = read_labels(sources[0], photograph, void=void)
        return _of_ids(np.where(truth.void, 0, truth.ids)), truth.void


def find_instances(images: Path, coarse: Path, truth: Path, against: Mapping[str, Path]) -> InstanceCases:
    """Open the sides of a comparison: folders of maps of ids, or annotations.

    Raises
    ------
    FileError
        One is neither, or the truth speaks of no photograph.
    """
    true = open_side(truth, images)
    photographs = sorted(true.photographs)
    if not photographs:
        raise FileError(f"{truth} has no mask of a photograph in {images}: give truths of the same stems.")
    others = {name: open_side(path, images, named_in=truth) for name, path in against.items()}
    return InstanceCases(images, photographs, open_side(coarse, images, named_in=truth), true, others)


def _refined_items(items: list[Item], tools: Tools) -> dict[str, list[Instance]]:
    found: dict[str, list[Instance]] = {COARSE: [], REFINED: []}
    for item, one in zip(items, open_items(items, tools), strict=True):
        if not isinstance(one, Opened):
            raise FileError(one.error)
        about = item.category, item.score
        found[COARSE].append(Instance(one.coarse, *about))
        found[REFINED].append(Instance(one.refine(tools, Record("", None))[0], *about))
    return found


def _refined_map(
    path: Path, photographs: Photographs, photograph: Photograph, mask: Path, tools: Tools
) -> dict[str, list[Instance]]:
    loaded = job.load_for(photographs, photograph, mask, path, tools.settings)
    _check_map(loaded.mask, mask)
    refined = job.refine(loaded, tools.refiner, tools.settings, Record("", None))
    return {COARSE: _of_ids(refined.before), REFINED: _of_ids(refined.after)}


def _made(sources: Sequence[Path | Item], photograph: Photograph, tools: Tools) -> list[Instance]:
    if sources and isinstance(sources[0], Path):
        mask = read_fitting(sources[0], photograph, tools.settings)
        _check_map(mask, sources[0])
        return _of_ids(mask.probability > 0.5 if mask.labels is None else mask.labels)
    return [_of_item(item, photograph) for item in sources if isinstance(item, Item)]


def _check_map(mask: Mask, path: Path) -> None:
    if mask.stack is not None or mask.pages:
        raise FileError(f"{path} holds several planes: give a map of ids, one for each instance.")


def _of_item(item: Item, photograph: Photograph) -> Instance:
    return Instance(read_upright(item, photograph)[0], item.category, item.score, item.crowd)


def _of_ids(ids: NDArray) -> list[Instance]:
    height, width = ids.shape
    return [
        Instance(Boxed((height, width), box, ids[box.slices] == number).tight())
        for number, box in zip(*find_ids(ids), strict=True)
    ]
