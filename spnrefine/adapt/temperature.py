"""The temperature at which the probabilities of refined masks mean what they say, on the owner's pairs."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.adapt.examples import Example
from spnrefine.evaluate.evaluation import BAND_SHARE
from spnrefine.refiner.contour import contour_distance
from spnrefine.refiner.temperature import LEAST, MOST, at_temperature

TEMPERATURES = np.append(np.geomspace(LEAST, MOST, 160), 1.0)  # those tried; the last changes nothing
MOST_PIXELS = 20_000  # of an example: more say the same
NEVER_SURER = 1 / 512  # half a level of what is written: so far is what is certain and wrong from certain

Refine = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.float32]]


class Fitted(NamedTuple):
    """A temperature, and what it does on pictures that it was not fitted on.

    ``before`` and ``after`` are the mean negative log likelihoods of pixels within 2 % of the diagonal of the coarse
    contour, at 1 and at temperatures fitted on all other pictures.
    """

    temperature: float
    before: float
    after: float


def fit_temperature(examples: Iterable[Example], refine: Refine) -> Fitted | None:
    """Fit a temperature to what ``refine`` makes; None where it helps nothing on pictures that it was not fitted on."""
    pictures, losses = [], []
    for example in examples:
        found = _losses(example, refine(example.image, example.coarse))
        if found is not None:
            pictures.append(example.picture)
            losses.append(found)
    if len(set(pictures)) < 2:
        return None
    return _fitted(pictures, np.stack(losses))


def _fitted(pictures: Sequence[str], losses: NDArray[np.float64]) -> Fitted | None:
    of = np.array(pictures)
    after = np.empty(len(of))
    for picture in set(pictures):
        out = of == picture
        after[out] = losses[out, losses[~out].mean(0).argmin()]
    found = Fitted(
        float(TEMPERATURES[losses.mean(0).argmin()].round(4)), float(losses[:, -1].mean()), float(after.mean())
    )
    return found if found.after < found.before and found.temperature != 1 else None


def _losses(example: Example, probability: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return the mean negative log likelihood of an example's pixels at each temperature; None without pixels."""
    near = contour_distance(example.coarse > 0.5) <= BAND_SHARE * np.hypot(*example.coarse.shape)
    chosen = np.flatnonzero(near & example.valid)
    if not len(chosen):
        return None
    chosen = chosen[:: max(1, len(chosen) // MOST_PIXELS)]
    p, truth = probability.ravel()[chosen], example.truth.ravel()[chosen]
    losses = []
    for temperature in TEMPERATURES:
        right = np.where(truth, 1.0, -1.0) * (at_temperature(p, temperature) - 0.5) + 0.5
        losses.append(-np.log(np.clip(right, NEVER_SURER, 1)).mean())
    return np.array(losses)
