"""Refine a folder of coarse masks whose truth is known, and measure what it did."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.batch.task import Tools
from spnrefine.evaluate.calibration import Reliability, tally, tally_winner
from spnrefine.evaluate.metrics import PUBLISHED, Measures, Scores, score
from spnrefine.evaluate.subjects import Case, Found, Subject, halved
from spnrefine.evaluate.summary import Summary, summarise
from spnrefine.files.truth import ObjectTruth
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.contour import contour_distance

COARSE = "coarse"
BAND_SHARE = 0.02  # of the diagonal: the band around the coarse contour in which calibration is measured


Method = Callable[[Subject], Found]


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
    """What all methods did to one object; ``object_pixels`` and ``void_pixels`` are of its truth."""

    name: str
    outcomes: dict[str, Outcome]
    object_pixels: int
    void_pixels: int
    category: str | None = None


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


def refined(subject: Subject) -> Found:
    """Do what `refine` and `batch` do: the method of this package."""
    return subject.refine()


def peer_method(peer: RefinesMasks) -> Method:
    """Return the method of another refiner, which takes a photograph and probabilities."""

    def method(subject: Subject) -> Found:
        loaded = subject.loaded
        return halved(peer(loaded.image, loaded.mask.probability))

    return method


def evaluate(
    cases: Iterable[Case],
    methods: Mapping[str, Method],
    tools: Tools,
    measures: Measures = PUBLISHED,
    *,
    truth_void: int | None = None,
) -> Iterator[Measured]:
    """Run every method on every object of the cases and yield what it did.

    ``coarse`` is the mask as it came, the object where its probability is above one half; masks that others made come
    last. The band of calibration lies around the coarse contour, not the true one: whoever uses the tool knows only
    that.

    Parameters
    ----------
    tools : how masks are read and refined.
    measures : what is free in the measures.
    truth_void : the value of void in the truths, as for :func:`spnrefine.files.truth.read_object`.

    Raises
    ------
    ShapeError, FileError
        As of :meth:`spnrefine.evaluate.subjects.Case.open`.
    """
    for case in cases:
        for subject in case.open(tools, truth_void):
            yield _measured(subject, methods, measures)


def _measured(subject: Subject, methods: Mapping[str, Method], measures: Measures) -> Measured:
    found = {}
    for name, method in {COARSE: _as_it_came, **methods}.items():
        start = time.perf_counter()
        what = method(subject)
        found[name] = what, time.perf_counter() - start
    found |= {name: (what, 0.0) for name, what in subject.others.items()}  # made already
    truth = subject.truth
    near = contour_distance(found[COARSE][0].inside) <= BAND_SHARE * np.hypot(*truth.inside.shape)
    outcomes = {name: _outcome(what, truth, near, seconds, measures) for name, (what, seconds) in found.items()}
    pixels = int(np.count_nonzero(truth.inside)), int(np.count_nonzero(truth.void))
    return Measured(subject.name, outcomes, *pixels, subject.category)


def _as_it_came(subject: Subject) -> Found:
    return halved(subject.loaded.mask.probability)


def _outcome(found: Found, truth: ObjectTruth, near: NDArray[np.bool_], seconds: float, measures: Measures) -> Outcome:
    valid = ~truth.void
    return Outcome(
        score(found.inside, truth.inside, valid, measures),
        seconds,
        tally(found.probability, truth.inside, valid),
        tally(found.probability, truth.inside, valid & near),
        tally_winner(found.probability, truth.inside, valid),
    )
