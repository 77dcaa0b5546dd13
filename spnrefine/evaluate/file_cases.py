"""Cases whose coarse masks are files: a mask of one object each, or maps of ids, of which each is an object."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spnrefine.batch.task import Tools
from spnrefine.boxes.ids import find_ids
from spnrefine.errors import FileError
from spnrefine.evaluate.subjects import (
    Found,
    Source,
    Subject,
    found_in,
    read_fitting,
    read_made,
    read_truth,
)
from spnrefine.files.images import Photographs
from spnrefine.files.masks import Mask, of_array
from spnrefine.files.numbers import DEFAULT_VOID
from spnrefine.files.truth import LabelTruth, ObjectTruth, read_labels
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded
from spnrefine.model.protocols import Probability

NO_VOID = -1  # which no truth's id is


@dataclass(frozen=True)
class FileCase:
    """A photograph of one object: all of its masks are files, or but the coarse one items of annotation files.

    ``others`` are masks that other methods made, by their names.
    """

    stem: str
    image: Path
    coarse: Path
    truth: Source
    others: tuple[tuple[str, Source], ...] = ()
    category: str | None = None

    def open(self, tools: Tools, truth_void: int | None) -> Iterator[Subject]:
        """Read and yield the object; errors as of `spnrefine.evaluate.subjects.Case.open`."""
        settings = tools.settings
        photographs = Photographs(self.image, settings.bands)
        photograph = photographs[0]
        loaded = job.load_for(photographs, photograph, self.coarse, self.image, settings)
        if loaded.mask.pages:
            raise FileError(f"{self.coarse} holds several masks: measure each as a file of its own.")

        def refine() -> Found:
            return found_in(loaded, job.refine(loaded, tools.refiner, settings, Record("", None)))

        truth = read_truth(self.truth, photograph, truth_void)
        others = {name: read_made(source, photograph, settings) for name, source in self.others}
        names = str(self.image), str(self.coarse)
        yield Subject(self.stem, loaded, truth, refine, others, self.category, *names)


@dataclass(frozen=True)
class IdsCase:
    """A photograph whose truth is a map of ids, of which each is an object, or one that is asked for, ``which``.

    The coarse mask and the ``others`` are maps of the same ids, or masks of one object where one alone is measured.
    """

    stem: str
    image: Path
    coarse: Path
    truth: Path
    which: int | None = None
    others: tuple[tuple[str, Path], ...] = ()

    def open(self, tools: Tools, truth_void: int | None) -> Iterator[Subject]:
        """Read and yield the objects; errors as of `spnrefine.evaluate.subjects.Case.open`."""
        settings = tools.settings
        photographs = Photographs(self.image, settings.bands)
        photograph = photographs[0]
        loaded = job.load_for(photographs, photograph, self.coarse, self.image, settings)
        void = NO_VOID if truth_void is None and self.which == DEFAULT_VOID else truth_void
        truth = read_labels(self.truth, photograph, void=void)
        wanted = find_ids(truth.ids, truth.void)[0].tolist() if self.which is None else [self.which]
        if not wanted:  # a photograph without an object
            return
        is_map = _is_map(loaded.mask, truth, wanted, self.coarse)
        coarse_of = _as_it_came(loaded.mask, is_map)
        others_of = {}
        for name, path in self.others:
            mask = read_fitting(path, photograph, settings)
            others_of[name] = _as_it_came(mask, _is_map(mask, truth, wanted, path))

        @cache
        def refined() -> Callable[[int], Found]:  # all objects at once, when the first is asked for
            found = job.refine(loaded, tools.refiner, settings, Record("", None))
            return _parted(loaded.mask, found.after, found.probability, is_map)

        names = str(self.image), str(self.coarse)
        for each in wanted:
            own = Loaded(loaded.image, of_array(coarse_of(each).inside)) if is_map else loaded
            others = {name: of(each) for name, of in others_of.items()}
            here = ObjectTruth(truth.ids == each, truth.void)
            yield Subject(f"{self.stem}#{each}", own, here, lambda each=each: refined()(each), others, None, *names)  # type: ignore[misc]


def _is_map(mask: Mask, truth: LabelTruth, wanted: list[int], path: Path) -> bool:
    """Tell a map of the truth's ids from the mask of the one object that is ``wanted``.

    Raises
    ------
    FileError
        It is neither.
    """
    if mask.stack is not None or mask.pages:
        raise FileError(f"{path} holds several planes: give a map of the truth's ids.")
    if mask.labels is None and _own_id(mask) not in find_ids(truth.ids, truth.void)[0]:
        if len(wanted) == 1:
            return False
        raise FileError(f"{path} is a mask of one object, its truth has {len(wanted)}: give a map of the same ids.")
    ids = _ids(mask, mask.probability > 0.5 if mask.labels is None else mask.labels)
    for each in wanted:
        there = ids[(truth.ids == each) & ~truth.void]
        if (there != 0).any() and not (there == each).any():
            raise FileError(
                f"{path} has other ids than its truth, in whose object {each} it has {there[there != 0][0]}: give a "
                "map of the truth's ids, or measure it with 'spnrefine eval-instances'."
            )
    return True


def _own_id(mask: Mask) -> int:
    return int(mask.foreground - mask.background)


def _ids(mask: Mask, hard: NDArray) -> NDArray[np.integer]:
    return np.where(hard, _own_id(mask), 0) if hard.dtype == np.bool_ else hard  # a map of one id is read as its mask


def _as_it_came(mask: Mask, is_map: bool) -> Callable[[int], Found]:
    if mask.labels is None:
        return _parted(mask, mask.probability > 0.5, mask.probability, is_map)
    return _parted(mask, mask.labels, np.ones(mask.shape, np.float32), is_map)


def _parted(mask: Mask, hard: NDArray, probability: Probability, is_map: bool) -> Callable[[int], Found]:
    """Return what takes an id to its object: the one that there is, or what has that id.

    ``hard`` (H, W) are bools or ids; ``probability`` (H, W) is of the object, or of each pixel's id.
    """
    if not is_map:
        one = Found(hard, probability)
        return lambda _: one
    own = np.where(hard, probability, 1 - probability) if hard.dtype == np.bool_ else probability
    ids = _ids(mask, hard)

    def of(each: int) -> Found:
        inside = ids == each
        return Found(inside, np.where(inside, own, 1 - own))

    return of
