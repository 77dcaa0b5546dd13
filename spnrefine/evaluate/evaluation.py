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
from spnrefine.evaluate.thresholds import errors_by_threshold
from spnrefine.files.truth import ObjectTruth
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.contour import contour_distance

COARSE = "coarse"
BAND_SHARE = 0.02  # of the diagonal: the band around the coarse contour in which calibration is measured


Method = Callable[[Subject], Found]


class Outcome(NamedTuple):
    """What one method did to one case: scores, seconds, and how far its probabilities can be believed.

    ``band`` is of the object's probability near the coarse contour, ``everywhere`` over all pixels, and ``winner``
    of what is more probable, object or background, over all pixels. ``by_threshold`` are the errors of
    :func:`spnrefine.evaluate.thresholds.errors_by_threshold`, where they were asked for.
    """

    scores: Scores
    seconds: float
    everywhere: Reliability
    band: Reliability
    winner: Reliability
    by_threshold: NDArray[np.float64] | None = None


class Measured(NamedTuple):
    """What all methods did to one object; ``object_pixels`` and ``void_pixels`` are of its truth.

    ``picture`` is the photograph that it is on.
    """

    name: str
    outcomes: dict[str, Outcome]
    object_pixels: int
    void_pixels: int
    category: str | None = None
    picture: str = ""


Watch = Callable[[Subject, Mapping[str, Found], Measured], None]


@dataclass
class Result:
    """Outcomes of one method over all cases: scores and seconds in their order, reliabilities summed."""

    scores: list[Scores] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    everywhere: Reliability = field(default_factory=Reliability)
    band: Reliability = field(default_factory=Reliability)
    winner: Reliability = field(default_factory=Reliability)
    by_threshold: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.scores.append(outcome.scores)
        self.seconds.append(outcome.seconds)
        self.everywhere += outcome.everywhere
        self.band += outcome.band
        self.winner += outcome.winner
        if outcome.by_threshold is not None:
            self.by_threshold.append(outcome.by_threshold)

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
    curves: bool = False,
    watch: Watch | None = None,
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
    curves : whether errors by threshold are measured.
    watch : is shown each object, what was found of it, and how it was measured.

    Raises
    ------
    ShapeError, FileError
        As of :meth:`spnrefine.evaluate.subjects.Case.open`.
    """
    for case in cases:
        for subject in case.open(tools, truth_void):
            found = _found(subject, methods)
            measured = _measured(subject, found, measures, curves=curves)
            if watch is not None:
                watch(subject, {name: what for name, (what, _) in found.items()}, measured)
            yield measured


def _found(subject: Subject, methods: Mapping[str, Method]) -> dict[str, tuple[Found, float]]:
    """Return what each method finds, and in how many seconds."""
    found = {}
    for name, method in {COARSE: _as_it_came, **methods}.items():
        start = time.perf_counter()
        what = method(subject)
        found[name] = what, time.perf_counter() - start
    return found | {name: (what, 0.0) for name, what in subject.others.items()}  # made already


def _measured(
    subject: Subject, found: Mapping[str, tuple[Found, float]], measures: Measures, *, curves: bool
) -> Measured:
    truth = subject.truth
    near = contour_distance(found[COARSE][0].inside) <= BAND_SHARE * np.hypot(*truth.inside.shape)
    outcomes = {
        name: _outcome(what, truth, near, seconds, measures, curves=curves) for name, (what, seconds) in found.items()
    }
    pixels = int(np.count_nonzero(truth.inside)), int(np.count_nonzero(truth.void))
    return Measured(subject.name, outcomes, *pixels, subject.category, subject.image)


def _as_it_came(subject: Subject) -> Found:
    return halved(subject.loaded.mask.probability)


def _outcome(
    found: Found, truth: ObjectTruth, near: NDArray[np.bool_], seconds: float, measures: Measures, *, curves: bool
) -> Outcome:
    valid = ~truth.void
    return Outcome(
        score(found.inside, truth.inside, valid, measures),
        seconds,
        tally(found.probability, truth.inside, valid),
        tally(found.probability, truth.inside, valid & near),
        tally_winner(found.probability, truth.inside, valid),
        errors_by_threshold(found.probability, truth.inside, valid) if curves else None,
    )
