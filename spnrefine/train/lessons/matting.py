"""The lesson of mattes: the exact alpha of composites, from a coarse mask and what the refiner makes of it."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spnrefine.errors import SpnRefineError
from spnrefine.files.images import read_photograph
from spnrefine.model import inference
from spnrefine.model.framing import margin, working_size
from spnrefine.model.matte_inputs import DISTANCE, matte_inputs
from spnrefine.train.data.composites import Composite, chance, compose
from spnrefine.train.data.pairs import Pair
from spnrefine.train.data.reading import read_binary
from spnrefine.train.lessons.lesson import Infer, Lost
from spnrefine.train.mistakes.mattes import coarse_of
from spnrefine.train.recipe import Recipe

REFINER = "general"
Patch = NDArray[np.uint8]
"""(CHANNELS + 1, S, S), 0..255 for 0..1: what the network is shown, and the truth."""


class Case(NamedTuple):
    """A composite's coarse mask and what is known of it."""

    inputs: NDArray[np.float32]  # (CHANNELS, H, W), see model/matte_inputs.py
    truth: NDArray[np.float32]  # (H, W)
    kind: str


class Cases:
    """Composites with coarse masks; which one ``number`` stands for depends on it and the seed alone."""

    def __init__(self, pairs: Sequence[Pair], recipe: Recipe, seed: int):
        self.objects = [pair for pair in pairs if not pair.labels]
        if not self.objects:
            raise SpnRefineError("Mattes are learnt from objects: give --masks of objects, not of class ids.")
        self.pairs, self.recipe, self.seed = pairs, recipe, seed
        self.refine = inference.load(REFINER, "cpu", torch.get_num_threads())

    def composite(self, rng: np.random.Generator) -> Composite:
        """Draw until a composite comes of it."""
        while True:
            pair = self.objects[int(rng.integers(len(self.objects)))]
            photograph = read_photograph(pair.image)
            inside = read_binary(pair, photograph).inside
            behind = read_photograph(self.pairs[int(rng.integers(len(self.pairs)))].image)
            made = compose(rng, photograph.pixels, inside, behind.pixels, self.recipe)
            if made is not None:
                return made

    def case(self, number: int, kind: str | None = None) -> Case:
        rng = np.random.default_rng((self.seed, 0, number))
        while True:
            composite = self.composite(rng)
            coarse, truth, kind = coarse_of(rng, composite, self.recipe, kind)
            if (coarse > 0.5).any():
                break
        kept = kind.endswith("exact") and chance(rng, self.recipe.matte_kept_chance)
        hardened = chance(rng, self.recipe.matte_hardened_chance)
        refined = coarse
        if not kept:
            refined = self._refined(composite.image, (coarse > 0.5).astype(np.float32) if hardened else coarse)
        return Case(matte_inputs(composite.image, coarse, refined), truth, kind)

    def _refined(self, image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """Refine as the refiner does, all parts in one frame."""
        rows, columns = (np.flatnonzero((coarse > 0.1).any(axis)) for axis in (1, 0))
        around = int(margin(max(np.ptp(rows), np.ptp(columns)) + 1))
        frame = tuple(slice(max(0, each[0] - around), each[-1] + 1 + around) for each in (rows, columns))
        height, width = coarse[frame].shape
        size = working_size(height, width, self.refine.config.working_side)[::-1]
        seen = self.refine(
            np.asarray(cv2.resize(image[frame], size, interpolation=cv2.INTER_AREA), np.uint8),
            np.clip(cv2.resize(coarse[frame], size, interpolation=cv2.INTER_AREA), 0, 1),
        )
        refined = coarse.copy()
        refined[frame] = cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR)
        return refined


class Matting:
    """Patches along the edges of the last composites; which ones depends on the seed and the step alone."""

    capturable = False
    turns = 1

    def __init__(self, cases: Cases, recipe: Recipe, device: torch.device):
        self.cases, self.recipe, self.device = cases, recipe, device
        self._pool: deque[list[Patch]] = deque(maxlen=recipe.matte_pool)
        self._next = 0

    def prepare(self, model: nn.Module, *, continued: bool) -> None:
        pass

    def draw(self, step: int, infer: Infer) -> Tensor:
        """Return (N, CHANNELS + 1, S, S) in 0..1, the last channel the truth."""
        last = self.recipe.matte_first + step // self.recipe.matte_every
        for number in range(max(self._next, last - self.recipe.matte_pool), last):
            self._pool.append([*self._cut(number)])
        self._next = last
        patches = [patch for cut in self._pool for patch in cut]
        rng = np.random.default_rng((self.cases.seed, 1, step))
        chosen = (patches[int(rng.integers(len(patches)))] for _ in range(self.recipe.matte_batch))
        turned = [np.rot90(patch[:, :, :: int(rng.choice((-1, 1)))], int(rng.integers(4)), (1, 2)) for patch in chosen]
        return torch.from_numpy(np.stack(turned)).to(self.device).float() / 255

    def _cut(self, number: int) -> Iterator[Patch]:
        case, side = self.cases.case(number), self.recipe.matte_patch
        planes = np.rint(255 * np.concatenate([case.inputs, case.truth[None]])).astype(np.uint8)
        missing = [max(0, side - each) for each in case.truth.shape]
        planes = np.pad(planes, ((0, 0), *((0, each) for each in missing)), mode="reflect")
        rng = np.random.default_rng((self.cases.seed, 2, number))
        # where the truth is neither 0 nor 1, or within a pixel and a half of the refined contour
        edge = np.argwhere(
            (np.abs(planes[-1].astype(int) - 128) < 118) | (np.abs(planes[DISTANCE].astype(int) - 128) < 12)
        )
        for _ in range(self.recipe.matte_cuts if len(edge) else 0):
            centre = edge[rng.integers(len(edge))] + rng.integers(-side // 3, side // 3 + 1, 2)
            top, left = (
                int(np.clip(at - side // 2, 0, have - side)) for at, have in zip(centre, planes.shape[1:], strict=True)
            )
            yield planes[:, top : top + side, left : left + side].copy()

    def loss(self, model: nn.Module, drawn: Tensor) -> Lost:
        alpha, truth = model(drawn[:, :-1]), drawn[:, -1:]
        error = (alpha - truth).abs().mean()
        off = alpha - truth
        steps = off.diff(dim=2).abs().mean() + off.diff(dim=3).abs().mean()
        return Lost(error + self.recipe.matte_gradient_weight * steps, error, len(drawn))

    def state(self) -> dict[str, Any]:
        return {}  # what is drawn follows from the seed and the step

    def set_state(self, state: dict[str, Any]) -> None:
        pass
