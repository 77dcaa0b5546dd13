"""How good a coarse and a refined mask are, told by trees from what shows in them: see :mod:`spnrefine.refiner.signs`.

Randomised trees (Geurts et al., "Extremely randomized trees", 2006), trained on held-aside pairs; their numbers ship as
`weights/judge/trees.safetensors`.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from spnrefine.errors import WeightsError
from spnrefine.model.weights import weights_folder
from spnrefine.refiner.signs import NAMES, signs

HARM, DOUBT = -0.25, -0.15
"""Of the coarse mask's error, expected to be removed: up to the first it is kept, up to the second it goes half-way.

They lose next to nothing on held-aside photographs of one thing that stands out. What is expected of a mask lies
between what is known of all: from one that is expected to lose a little there is rather something to be gained. They
are for hard masks, as the edge of no other is meant to be exact.
"""
WORTH = 0.03  # likewise, up to which a careful refiner keeps a mask


class Judgement(NamedTuple):
    """What is expected of a mask.

    ``before`` and ``after``, the IoU of the coarse and the refined mask with the truth; ``gain``, the share of the
    coarse mask's error that is removed, -1 to 1.
    """

    before: float
    after: float
    gain: float

    def strength(self, *, careful: bool) -> float:
        """Return how far the contour is to go from the coarse to the refined one: 0, half-way or 1.

        ``careful``, it stays where little is to be gained, too.
        """
        if self.gain <= (WORTH if careful else HARM):
            return 0.0
        return 0.5 if self.gain <= DOUBT else 1.0

    def quality(self, strength: float) -> float:
        """Return the IoU to be expected at a ``strength``."""
        return self.before + strength * (self.after - self.before)


def judge(image: NDArray[np.uint8], coarse: NDArray[np.float32], refined: NDArray[np.float32]) -> Judgement | None:
    """Judge a coarse mask and what was made of it; None where either has no contour.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB.
    coarse, refined : (H, W) float32 in 0..1.

    Raises
    ------
    WeightsError
        The trees are missing or are not such as ship.
    """
    found = signs(image, coarse, refined)
    return None if found is None else Judgement(*(float(value) for value in predicted(found)))


def predicted(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what the trees say on average, (3,), of ``numbers`` as :func:`spnrefine.refiner.signs.signs` gives."""
    trees = _trees()
    at = trees["root"]
    while True:  # all trees go down together; a leaf leads to itself
        further = np.where(
            numbers[trees["feature"][at]] <= trees["threshold"][at], trees["left"][at], trees["right"][at]
        )
        if np.array_equal(further, at):
            return np.asarray(trees["value"][at].mean(0), np.float32)
        at = further


@cache
def _trees() -> dict[str, NDArray]:
    path = weights_folder() / "judge" / "trees.safetensors"
    try:
        trees = load_file(path)
        if trees["feature"].max() >= len(NAMES):
            raise ValueError("it knows other signs")
    except Exception as error:  # whatever safetensors raises
        raise WeightsError(f"{path} cannot be read ({error}): install spnrefine again.") from None
    return {name: value.astype(np.float32) if value.dtype == np.float16 else value for name, value in trees.items()}
