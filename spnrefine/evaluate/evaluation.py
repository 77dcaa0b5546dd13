"""Refine a folder of coarse masks whose truth is known, and measure what it did."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError, ShapeError
from spnrefine.evaluate.calibration import Reliability, tally, tally_winner
from spnrefine.evaluate.cases import Case
from spnrefine.evaluate.metrics import PUBLISHED, Bits, Measures, Scores, score
from spnrefine.evaluate.summary import Summary, summarise
from spnrefine.files.images import Photograph, Photographs
from spnrefine.files.masks import read_mask
from spnrefine.files.sizes import align
from spnrefine.files.truth import ObjectTruth, read_object
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, Settings
from spnrefine.model.protocols import Probability, RefinesMasks
from spnrefine.refiner.contour import contour_distance

COARSE = "coarse"
BAND_SHARE = 0.02  # of the diagonal: the band around the coarse contour in which calibration is measured


class Found(NamedTuple):
    """What a method says of a photograph: where the object is, (H, W), and how probable it is, (H, W) in 0..1."""

    inside: Bits
    probability: Probability


Method = Callable[[Loaded], Found]


class Outcome(NamedTuple):
    """What one method did to one case: scores, seconds, and how far its probabilities can be believed.

    ``band`` is of the object's probability near the coarse contour, ``everywhere`` over all pixels, and ``winner``
    of what is more probable, object or background, over all pixels.
    """

    scores: Scores
    seconds: float
    everywhere: Reliability
    band: Reliability
    winner: Reliability


class Measured(NamedTuple):
    """What all methods did to one case; ``object_pixels`` and ``void_pixels`` are of its truth."""

    case: Case
    outcomes: dict[str, Outcome]
    object_pixels: int
    void_pixels: int


@dataclass
class Result:
    """Outcomes of one method over all cases: scores and seconds in their order, reliabilities summed."""

    scores: list[Scores] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    everywhere: Reliability = field(default_factory=Reliability)
    band: Reliability = field(default_factory=Reliability)
    winner: Reliability = field(default_factory=Reliability)

    def add(self, outcome: Outcome) -> None:
        self.scores.append(outcome.scores)
        self.seconds.append(outcome.seconds)
        self.everywhere += outcome.everywhere
        self.band += outcome.band
        self.winner += outcome.winner

    def summary(self, coarse: "Result") -> Summary:
        return summarise(coarse.scores, self.scores)


def refined_by(refiner: RefinesMasks, settings: Settings) -> Method:
    """Return the method that does what `refine` and `batch` do with such settings."""

    def method(loaded: Loaded) -> Found:
        refined = job.refine(loaded, refiner, settings, Record("", None))
        inside = refined.after != 0
        several = loaded.mask.labels is not None or loaded.mask.stack is not None
        # of several, the probability is that of each pixel's own
        probability = np.where(inside, refined.probability, 1 - refined.probability) if several else refined.probability
        return Found(inside, probability)

    return method


def peer_method(peer: RefinesMasks) -> Method:
    """Return the method of another refiner, which takes a photograph and probabilities."""

    def method(loaded: Loaded) -> Found:
        return _halved(peer(loaded.image, loaded.mask.probability))

    return method


def evaluate(
    cases: list[Case],
    methods: Mapping[str, Method],
    settings: Settings,
    measures: Measures = PUBLISHED,
    *,
    truth_void: int | None = None,
) -> Iterator[Measured]:
    """Run every method on every case and yield what it did.

    ``coarse`` is the mask as it came, the object where its probability is above one half; masks that others made come
    last. The band of calibration lies around the coarse contour, not the true one: whoever uses the tool knows only
    that.

    Parameters
    ----------
    settings : how coarse masks are read.
    measures : what is free in the measures.
    truth_void : the value of void in the truths, as for :func:`spnrefine.files.truth.read_object`.

    Raises
    ------
    ShapeError
        The files of a case differ in size.
    FileError
        One cannot be read.
    """
    for case in cases:
        photographs = Photographs(case.image, settings.bands)
        photograph = photographs[0]
        loaded = job.load_for(photographs, photograph, case.coarse, case.image, settings)
        if loaded.mask.pages:
            raise FileError(f"{case.coarse} holds several masks: measure each as a file of its own.")
        truth = read_object(case.truth, photograph, void=truth_void)
        made = {name: _made(path, photograph, settings) for name, path in case.others}
        found = {}
        for name, method in {COARSE: _as_it_came, **methods, **made}.items():
            start = time.perf_counter()
            what = method(loaded)
            found[name] = what, time.perf_counter() - start
        near = contour_distance(found[COARSE][0].inside) <= BAND_SHARE * np.hypot(*truth.inside.shape)
        outcomes = {name: _outcome(what, truth, near, seconds, measures) for name, (what, seconds) in found.items()}
        yield Measured(case, outcomes, int(np.count_nonzero(truth.inside)), int(np.count_nonzero(truth.void)))


def _as_it_came(loaded: Loaded) -> Found:
    return _halved(loaded.mask.probability)


def _halved(probability: Probability) -> Found:
    return Found(probability > 0.5, probability)


def _made(path: Path, photograph: Photograph, settings: Settings) -> Method:
    """Read the mask that another method made; what it is is found with it in hand, so that it takes no time."""
    mask = align(read_mask(path, labels=settings.labels), photograph)
    if mask.shape != photograph.pixels.shape[:2]:
        (height, width), (rows, columns) = mask.shape, photograph.pixels.shape[:2]
        raise ShapeError(
            f"{path} has {width}x{height} pixels, its photograph {columns}x{rows}: give a mask of the same size."
        )
    return lambda _: _halved(mask.probability)


def _outcome(found: Found, truth: ObjectTruth, near: NDArray[np.bool_], seconds: float, measures: Measures) -> Outcome:
    valid = ~truth.void
    return Outcome(
        score(found.inside, truth.inside, valid, measures),
        seconds,
        tally(found.probability, truth.inside, valid),
        tally(found.probability, truth.inside, valid & near),
        tally_winner(found.probability, truth.inside, valid),
    )
