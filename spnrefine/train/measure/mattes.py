"""How good a network of mattes is: sums of absolute differences on composites of held-aside pairs, kind by kind."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from spnrefine.model.matte_inputs import COARSE, REFINED
from spnrefine.train.data.pairs import Pair
from spnrefine.train.lessons.lesson import Infer
from spnrefine.train.lessons.matting import Cases
from spnrefine.train.mistakes.mattes import HARD, SOFT
from spnrefine.train.recipe import Recipe

SEED = 20171201


@dataclass(frozen=True)
class MatteScores:
    """By kind, means of the sum of absolute differences, in thousands: coarse, refined, matte; and the share worse."""

    kinds: dict[str, tuple[float, float, float, float]]

    def __str__(self) -> str:
        lines = (
            f"  {kind}: coarse {coarse:.2f}, refined {refined:.2f}, matte {matte:.2f} ({worse:.0%} worse)"
            for kind, (coarse, refined, matte, worse) in self.kinds.items()
        )
        return "\n".join(["validation: sums of absolute differences, in thousands", *lines])


class MatteValidation:
    """The same composites and coarse masks every time."""

    def __init__(self, pairs: Sequence[Pair], recipe: Recipe):
        cases = Cases(pairs, recipe, SEED)
        kinds = [f"hard {kind}" for kind in HARD] + [f"soft {kind}" for kind in SOFT]
        self.cases = [cases.case(number, kinds[number % len(kinds)]) for number in range(recipe.matte_validation)]

    def fit(self, seconds: float, infer: Infer) -> str | None:
        """Time the first composite, and keep as many as there is time for, evenly taken."""
        began, before = time.perf_counter(), len(self.cases)
        run_whole(infer, self.cases[0].inputs)
        count = min(before, max(1, int(seconds / (time.perf_counter() - began))))
        self.cases = [self.cases[index] for index in np.linspace(0, before - 1, count).astype(int)]
        return None if count == before else f"{count} of {before} composites"

    def __call__(self, infer: Infer) -> MatteScores:
        found: dict[str, list[tuple[float, ...]]] = {}
        for case in self.cases:
            alphas = case.inputs[COARSE], case.inputs[REFINED], run_whole(infer, case.inputs)
            sums = [float(np.abs(alpha - case.truth).sum()) / 1000 for alpha in alphas]
            found.setdefault(case.kind, []).append((*sums, float(sums[2] > sums[0] + 0.01)))
        return MatteScores({kind: tuple(np.mean(rows, 0)) for kind, rows in sorted(found.items())})


def run_whole(infer: Infer, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return alpha (H, W) of (CHANNELS, H, W), padded as the network needs it."""
    height, width = inputs.shape[1:]
    padded = np.pad(inputs, ((0, 0), (0, -height % 16), (0, -width % 16)), mode="edge")
    with torch.no_grad():
        return infer(torch.from_numpy(padded)[None])[0, 0, :height, :width].float().numpy()
