"""RefinesMasks a folder of coarse masks whose truth is known, and measure what it did."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import FileError, ShapeError
from spnrefine.evaluate.calibration import Reliability, tally
from spnrefine.evaluate.metrics import Scores, Summary, score, summarise
from spnrefine.files.images import read_image
from spnrefine.files.masks import read_mask
from spnrefine.files.rasters import read_raster
from spnrefine.model.protocols import RefinesMasks
from spnrefine.refiner.contour import contour_distance

BACKGROUND_BELOW, OBJECT_ABOVE = 100, 155  # gray levels of the truth; what lies between is void
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


def find_cases(images: Path, coarse: Path, truth: Path) -> list[Case]:
    """Match the files of three folders by stem; each truth needs its photograph and its coarse mask.

    Raises
    ------
    FileError
        A folder is missing or empty, or a truth has no partner, or more than one.
    """
    stems = {folder: _by_stem(folder) for folder in (images, coarse, truth)}
    for folder, found in stems.items():
        if not found:
            raise FileError(f"{folder} holds no files: expected photographs, coarse masks and truths of equal stems.")
    cases = []
    for stem in stems[truth]:
        partners = [stems[folder].get(stem, []) for folder in (images, coarse, truth)]
        for folder, files in zip((images, coarse, truth), partners, strict=True):
            if len(files) != 1:
                raise FileError(f"{folder} holds {len(files)} files named {stem}.*: expected one for each truth.")
        cases.append(Case(stem, *(files[0] for files in partners)))
    return cases


def evaluate(cases: list[Case], methods: Mapping[str, RefinesMasks]) -> Iterator[tuple[Case, dict[str, Outcome]]]:
    """Run every method on every case and yield what it did; ``coarse`` is the mask as it came.

    The band of calibration lies around the coarse contour, not the true one: whoever uses the tool knows only that.

    Raises
    ------
    ShapeError
        The files of a case differ in size.
    FileError
        One cannot be read.
    """
    for case in cases:
        image, coarse, truth = read_image(case.image), read_mask(case.coarse).probability, read_truth(case.truth)
        sizes = {image.shape[:2], coarse.shape, truth.shape}
        if len(sizes) > 1:
            raise ShapeError(
                f"Photograph, coarse mask and truth of {case.stem} have sizes {sorted(sizes)}: expected one size."
            )
        valid, inside = (truth < BACKGROUND_BELOW) | (truth > OBJECT_ABOVE), truth > OBJECT_ABOVE
        near = valid & (contour_distance(coarse > 0.5) <= BAND_SHARE * np.hypot(*coarse.shape))
        results = {}
        for name, method in {COARSE: lambda _, mask: mask, **methods}.items():
            start = time.perf_counter()
            refined = method(image, coarse)
            seconds = time.perf_counter() - start
            results[name] = Outcome(
                score(refined > 0.5, inside, valid),
                seconds,
                tally(refined, inside, valid),
                tally(refined, inside, near),
            )
        yield case, results


def read_truth(path: Path) -> NDArray[np.uint8]:
    """Read a truth as gray levels: below 100 background, above 155 object, void between; 0 and 1 count as 0 and 255.

    Raises
    ------
    FileError
        Not a gray or 1-bit picture.
    """
    raster = read_raster(path)
    pixels = raster.pixels[..., 0]
    if raster.is_stack:
        raise FileError(f"{path} holds {raster.pixels.shape[2]} planes: expected an 8-bit gray or 1-bit truth.")
    if pixels.dtype.name not in ("bool", "uint8"):
        raise FileError(f"{path} holds {pixels.dtype.name} values: expected an 8-bit gray or 1-bit truth.")
    return (pixels.astype(np.uint8) * 255) if pixels.max() <= 1 else pixels


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    if not folder.is_dir():
        raise FileError(f"{folder} is not a folder: expected a folder of files with equal stems.")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            found.setdefault(path.stem, []).append(path)
    return found
