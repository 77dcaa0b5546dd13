"""All that is tried: each example refined a few times, and from each refinement the masks of many choices."""

import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from spnrefine.adapt.examples import Example
from spnrefine.boxes.box import bounding_box
from spnrefine.evaluate.metrics import iou
from spnrefine.refiner import Refiner
from spnrefine.refiner.choice import Choice
from spnrefine.refiner.feather import without_feather
from spnrefine.refiner.kinds import kind_and_brush
from spnrefine.refiner.off import object_size
from spnrefine.refiner.part_way import signed_distance

ALONE, USUAL = Choice(strength=0.0), Choice()
STRENGTHS = 0.35, 0.5, 0.75, 1.0
LOWEST = 0.3
LEVELS = LOWEST, None, 0.7
GROWS = -0.015, 0.0, 0.015
BANDS = None, 0.06
OFFS = None, "2%", "6%"
MEASURED = 25_000
"""Pixels on which a mask is measured at most: of larger ones every second or third row and column."""


@dataclass(frozen=True)
class Trials:
    """The error, 1 - IoU, of every choice for every example.

    Attributes
    ----------
    errors : (N, C) float32.
    choices : C choices; the first two leave the masks alone and refine them as usual.
    pictures, kinds : of each example.
    """

    errors: NDArray[np.float32]
    choices: tuple[Choice, ...]
    pictures: tuple[str, ...]
    kinds: tuple[str, ...]

    def among(self, picture: str) -> NDArray[np.bool_]:
        """Mark the examples of a picture, (N,) bool."""
        return np.array([each == picture for each in self.pictures])

    def of(self, chosen: NDArray[np.bool_]) -> "Trials":
        """Return the trials of some of the examples, (N,) bool."""
        places = np.flatnonzero(chosen)
        pictures, kinds = (tuple(each[place] for place in places) for each in (self.pictures, self.kinds))
        return replace(self, errors=self.errors[chosen], pictures=pictures, kinds=kinds)


def proposals(knows: bool, others: Iterable[tuple[str, bool]]) -> list[Choice]:
    """Return the ways of refining: by the model itself, which ``knows`` how far off masks are or not, and by others."""
    found = []
    for name, told in [(None, knows), *others]:
        offs = OFFS if told else OFFS[:1]  # to soften the edge for a network that knows nothing of it helps rarely
        found += [Choice(model=name, off=off) for off in offs]
    return found


def try_all(
    examples: Sequence[Example], ways: Sequence[Choice], model: str, device: str, jobs: int
) -> Iterator[tuple[Example, list[float], list[Choice]]]:
    """Yield each example with the errors of all choices, on ``jobs`` threads."""
    loaded = {way.model: Refiner(way.model or model, device, 1, strength=1.0) for way in ways}
    for refiner in loaded.values():
        refiner.choices = {}
    refiners = [loaded[way.model].told(way.off) for way in ways]

    def tried(example: Example) -> list[float]:
        return errors_of(example, [refiner(example.image, example.coarse) for refiner in refiners])

    choices = all_choices(ways)
    with ThreadPoolExecutor(jobs) as pool:
        for example, errors in zip(examples, pool.map(tried, examples), strict=True):
            yield example, errors, choices


def gathered(tried: Iterable[tuple[Example, list[float], list[Choice]]]) -> Trials:
    """Gather what :func:`try_all` yields; at least one example."""
    examples, errors, choices = zip(*tried, strict=True)
    kinds = tuple(kind_and_brush(without_feather(one.coarse))[0] for one in examples)
    return Trials(np.array(errors, np.float32), tuple(choices[0]), tuple(one.picture for one in examples), kinds)


def all_choices(ways: Sequence[Choice]) -> list[Choice]:
    """Return every choice in the order of the errors: masks left alone, refined as usual, moved, and all others."""
    derived = [
        replace(way, strength=strength, level=level, grow=grow, band=band)
        for way in ways
        for strength, level, grow, band in product(STRENGTHS, LEVELS, GROWS, BANDS)
    ]
    return [ALONE, USUAL, *(replace(ALONE, grow=grow) for grow in GROWS if grow), *derived]


def errors_of(example: Example, refined: Sequence[NDArray[np.float32]]) -> list[float]:
    """Return 1 - IoU of all choices, in their order, of what each way of refining made: (H, W) float32 in 0..1."""
    before, truth = example.coarse > 0.5, example.truth & example.valid
    box = bounding_box(np.any([before, truth, *(each > LOWEST for each in refined)], axis=0))
    assert box is not None
    size = object_size(example.coarse)
    here = box.grown(2 + math.ceil(GROWS[-1] * size), *before.shape).slices
    step = max(1, round(math.sqrt(before[here].size / MEASURED)))
    grid = slice(step // 2, None, step), slice(step // 2, None, step)
    truth, valid = truth[here][grid], example.valid[here][grid]

    def error(inside: NDArray[np.bool_]) -> float:
        return 1 - iou(inside & valid, truth)

    def distance(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        found = signed_distance(inside[here])
        return first if found is None else found[grid]  # no contour is left: then the coarse one is

    whole = signed_distance(before[here])
    assert whole is not None
    first = whole[grid]
    start = first > 0
    near = {band: None if band is None else np.abs(first) <= band * size for band in BANDS}
    errors = [error(start), error(distance(refined[0] > 0.5) > 0), *(error(first + g * size > 0) for g in GROWS if g)]
    for each in refined:
        last = {level: distance(each > (0.5 if level is None else level)) for level in LEVELS}
        for strength, level, grow, band in product(STRENGTHS, LEVELS, GROWS, BANDS):
            inside = (1 - strength) * first + strength * last[level] + grow * size > 0
            allowed = near[band]
            errors.append(error(inside if allowed is None else np.where(allowed, inside, start)))
    return errors
