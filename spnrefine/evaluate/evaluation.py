"""Refine a folder of coarse masks whose truth is known, and measure what it did."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spnrefine.errors import FileError, ShapeError
from spnrefine.evaluate.calibration import Reliability, tally
from spnrefine.evaluate.metrics import PUBLISHED, Measures, Scores, score
from spnrefine.evaluate.summary import Summary, summarise
from spnrefine.files.images import read_photograph
from spnrefine.files.masks import read_mask
from spnrefine.files.sizes import align
from spnrefine.files.stems import by_stem
from spnrefine.files.truth import read_object
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.contour import contour_distance

COARSE = "coarse"
BAND_SHARE = 0.02  # of the diagonal: the band around the coarse contour in which calibration is measured


@dataclass(frozen=True)
class Case:
    """The files of one photograph: all of one stem."""

    stem: str
    image: Path
    coarse: Path
    truth: Path


class Outcome(NamedTuple):
    """What one method did to one case: scores, seconds, and how far its probabilities can be believed."""

    scores: Scores
    seconds: float
    everywhere: Reliability
    band: Reliability


@dataclass
class Result:
    """Outcomes of one method over all cases: scores and seconds in their order, reliabilities summed."""

    scores: list[Scores] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    everywhere: Reliability = field(default_factory=Reliability)
    band: Reliability = field(default_factory=Reliability)

    def add(self, outcome: Outcome) -> None:
        self.scores.append(outcome.scores)
        self.seconds.append(outcome.seconds)
        self.everywhere += outcome.everywhere
        self.band += outcome.band

    def summary(self, coarse: "Result") -> Summary:
        return summarise(coarse.scores, self.scores)


def find_cases(images: Path, coarse: Path, truth: Path, *, strict: bool = True) -> tuple[list[Case], list[str]]:
    """Match the files of three folders by stem; each truth needs its photograph and its coarse mask.

    Returns
    -------
    The cases, and the stems that are in some of the folders and not in all: none where ``strict``.

    Raises
    ------
    FileError
        A folder is missing or empty, a stem stands for several files of one, or none is in all three; or, where
        ``strict``, a truth has no partner.
    """
    stems = {folder: by_stem(folder) for folder in (images, coarse, truth)}
    for folder, found in stems.items():
        if not found:
            raise FileError(f"{folder} holds no files: expected photographs, coarse masks and truths of equal stems.")
    cases, alone = [], []
    for stem in stems[truth] if strict else sorted(set().union(*stems.values())):
        partners = [stems[folder].get(stem, []) for folder in (images, coarse, truth)]
        if not strict and not all(partners):
            alone.append(stem)
            continue
        for folder, files in zip((images, coarse, truth), partners, strict=True):
            if len(files) != 1:
                raise FileError(f"{folder} holds {len(files)} files named {stem}.*: expected one for each truth.")
        cases.append(Case(stem, *(files[0] for files in partners)))
    if not cases:
        raise FileError(f"{images}, {coarse} and {truth} have no stem in common: give the three files of one name.")
    return cases, alone


def evaluate(
    cases: list[Case],
    methods: Mapping[str, RefinesMasks],
    *,
    labels: bool | None = None,
    measures: Measures = PUBLISHED,
) -> Iterator[tuple[Case, dict[str, Outcome]]]:
    """Run every method on every case and yield what it did; ``coarse`` is the mask as it came.

    ``labels`` says what the coarse masks' numbers are, as for :func:`spnrefine.files.masks.read_mask`.

    The band of calibration lies around the coarse contour, not the true one: whoever uses the tool knows only that.

    Raises
    ------
    ShapeError
        The files of a case differ in size.
    FileError
        One cannot be read.
    """
    for case in cases:
        photograph = read_photograph(case.image)
        image, coarse = photograph.pixels, align(read_mask(case.coarse, labels=labels), photograph).probability
        if coarse.shape != image.shape[:2]:
            raise ShapeError(
                f"Photograph and coarse mask of {case.stem} are {image.shape[:2]} and {coarse.shape}: give one size."
            )
        truth = read_object(case.truth, photograph)
        inside, valid = truth.inside, ~truth.void
        near = valid & (contour_distance(coarse > 0.5) <= BAND_SHARE * np.hypot(*coarse.shape))
        results = {}
        for name, method in {COARSE: lambda _, mask: mask, **methods}.items():
            start = time.perf_counter()
            refined = method(image, coarse)
            seconds = time.perf_counter() - start
            results[name] = Outcome(
                score(refined > 0.5, inside, valid, measures),
                seconds,
                tally(refined, inside, valid),
                tally(refined, inside, near),
            )
        yield case, results
