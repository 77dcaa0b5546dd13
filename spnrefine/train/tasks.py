"""What can be trained, and what each task needs: a network, pairs, a lesson, and a measure of how good it is."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import torch
from torch import nn

from spnrefine.errors import SpnRefineError
from spnrefine.files.classes import Classes
from spnrefine.model import weights
from spnrefine.model.config import Config, MatteConfig, SegmenterConfig
from spnrefine.model.matting import Matting
from spnrefine.model.parsing import SHRINK, ParsingNetwork
from spnrefine.model.segmenter import Segmenter
from spnrefine.model.spn import SPN
from spnrefine.train.data.looks import Looks, Photographs
from spnrefine.train.data.pairs import Pair, Split
from spnrefine.train.data.store import Store
from spnrefine.train.data.usable import usable
from spnrefine.train.lessons.batches import Batches
from spnrefine.train.lessons.labelling import Labelling
from spnrefine.train.lessons.lesson import Lesson, Measure
from spnrefine.train.lessons.matting import Cases
from spnrefine.train.lessons.matting import Matting as MattingLesson
from spnrefine.train.lessons.refining import Refining
from spnrefine.train.lessons.segmenting import Segmenting
from spnrefine.train.measure.mattes import MatteValidation
from spnrefine.train.measure.scores import PhotographScores
from spnrefine.train.measure.validation import SEED, OfRefiner, Validation
from spnrefine.train.recipe import Recipe

LABEL_CHANNELS = 32

Load = Callable[[str, list[Pair], int], Store]
"""Reads pairs into memory: what they are for, which, and the seed of what is drawn while reading."""


@dataclass(frozen=True)
class Ready:
    """All that a trainer needs besides the network, and how many pairs of each set are in it."""

    lesson: Lesson
    measure: Measure | None
    counts: dict[str, int]


class Task(Protocol):
    """One kind of network to train."""

    @property
    def model(self) -> nn.Module:
        """The network, as it was initialised."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of a label map's classes, background first."""

    def prepare(self, split: Split, recipe: Recipe, seed: int, device: torch.device, load: Load) -> Ready:
        """Read what is needed."""


class Binary:
    """The refiner of one object's mask.

    ``seconds`` are how long it may take to draw the patches of the validation; None: as long as it takes.
    """

    classes: tuple[str, ...] = ()

    def __init__(self, network: dict[str, int], start: str | None = None, seconds: float | None = None):
        self.model = SPN(_configured(_built_as(start), network))
        self._seconds = seconds

    def prepare(self, split: Split, recipe: Recipe, seed: int, device: torch.device, load: Load) -> Ready:
        store = load("train", split.train, seed)
        measure = None
        if split.val:
            # the same objects and polygons whatever the run's seed, so that runs can be compared
            validation = Validation(load("held aside", split.val, SEED), recipe, self._seconds)
            measure = OfRefiner(validation, knows_off=bool(self.model.config.knows_off))

        counts = dict(Counter(store.set_names[index] for index in store.sets.tolist()))
        return Ready(Refining(Batches(store, recipe, seed), recipe), measure, counts)


class Backbone:
    """The network that makes the mask of an object."""

    classes: tuple[str, ...] = ()
    _known = Classes(("background", "object"), ((0,), (1,)))

    def __init__(self, network: dict[str, int]):
        self.model = Segmenter(_configured(SegmenterConfig(), network))

    def prepare(self, split: Split, recipe: Recipe, seed: int, device: torch.device, load: Load) -> Ready:
        if any(pair.labels for pair in split.train):
            raise SpnRefineError("A backbone learns from binary masks: give --masks of objects, not of class ids.")
        looks = Looks(recipe.look_span, recipe.look_aspect, recipe.look_degrees)
        split = usable(split, self._known)
        photographs = Photographs(split.train, self._known, looks, seed, recipe.looks, recipe.look_sides)
        measure = PhotographScores(split.val, self._known, self.model.config.side) if split.val else None
        return Ready(Segmenting(photographs, recipe, device), measure, _count(split.train))


class Labels:
    """The model of label maps: a base parser and the refiner on top of it."""

    def __init__(self, network: dict[str, int], known: Classes, start: str | None = None):
        self._known, self.classes = known, known.names
        bottleneck = _built_as(start).bottleneck
        config = Config(channels=LABEL_CHANNELS, classes=len(known.names), bottleneck=bottleneck)
        self.model = ParsingNetwork(_configured(config, network))

    def prepare(self, split: Split, recipe: Recipe, seed: int, device: torch.device, load: Load) -> Ready:
        looks = Looks(recipe.label_span, recipe.look_aspect, recipe.label_degrees)
        sides = (recipe.label_side // (32 * SHRINK) * (32 * SHRINK),)
        split = usable(split, self._known)
        photographs = Photographs(split.train, self._known, looks, seed, recipe.label_looks, sides)
        measure = PhotographScores(split.val, self._known, self.model.config.working_side) if split.val else None
        return Ready(Labelling(photographs, recipe, device), measure, _count(split.train))


class Mattes:
    """The network that makes a matte of a refined mask."""

    classes: tuple[str, ...] = ()

    def __init__(self, network: dict[str, int]):
        self.model = Matting(_configured(MatteConfig(), network))

    def prepare(self, split: Split, recipe: Recipe, seed: int, device: torch.device, load: Load) -> Ready:
        lesson = MattingLesson(Cases(split.train, recipe, seed), recipe, device)
        measure = MatteValidation(split.val, recipe) if split.val else None
        return Ready(lesson, measure, _count(split.train))


def _built_as(start: str | None) -> Config:
    """Return the usual configuration, told how far off masks are and built with bottlenecks where the start is."""
    found = None if start is None else weights.describe(start).config
    if not isinstance(found, Config):
        return Config()
    return Config(knows_off=found.knows_off, bottleneck=found.bottleneck)


def _configured(config: Any, network: dict[str, int]) -> Any:
    known = [field.name for field in fields(config) if field.name not in ("classes", "outputs")]
    for name in network:
        if name not in known:
            raise SpnRefineError(f"This network has no {name!r}: expected one of {', '.join(known)}.")
    try:
        return replace(config, **network)
    except ValueError as error:
        raise SpnRefineError(f"--network does not fit ({error}): give another number.") from None


def _count(pairs: list[Pair]) -> dict[str, int]:
    return dict(Counter(pair.set_name for pair in pairs))
