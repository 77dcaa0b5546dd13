"""How good the network is: held-aside pairs, seen as at inference, with the same mistakes every time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from spnrefine.train.data.store import Store
from spnrefine.train.data.views import draw_views, look
from spnrefine.train.lessons.batches import Refine
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.edges import edge_mistakes, round_trip
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.mistakes.regions import iou, region_mistakes
from spnrefine.train.recipe import Recipe

SEED = 20171201
CHUNK = 8  # patches at a time

_CLEAN = replace(
    Recipe(), polygon_chance=0, warp_chance=0, offset_chance=0, grow_chance=0, soft_chance=0, blob_chance=0,
    similar_chance=0, donor_chance=0, saliency_chance=0, weak_chance=0,
)  # fmt: skip
KINDS: dict[str, Recipe] = {
    "lowres": _CLEAN,
    "polygon": replace(_CLEAN, polygon_chance=1),
    "wobble": replace(_CLEAN, warp_chance=1, warp_span=(0.02, 0.04), offset_chance=1, offset_span=(0.01, 0.02)),
    "regions": replace(
        _CLEAN, blob_chance=0.5, similar_chance=0.7, saliency_chance=0.6, offset_chance=1, offset_span=(0.01, 0.02)
    ),
}
LOWRES_CELLS = 16


@dataclass(frozen=True)
class Score:
    """Mean IoU error (1 - IoU) of the coarse masks of a kind, after one pass and after a second one over its output."""

    coarse: float
    once: float
    twice: float

    @property
    def removed(self) -> float:
        """The share of the coarse error that one pass removes."""
        return 1 - self.once / max(self.coarse, 1e-9)

    @property
    def removed_twice(self) -> float:
        return 1 - self.twice / max(self.coarse, 1e-9)


@dataclass(frozen=True)
class Report:
    """Scores by kind, and the mean IoU error made of masks that were exact."""

    kinds: dict[str, Score]
    exact: float

    @property
    def error(self) -> float:
        return float(np.mean([score.once for score in self.kinds.values()]))

    @property
    def coarse(self) -> float:
        return float(np.mean([score.coarse for score in self.kinds.values()]))

    def __str__(self) -> str:
        kinds = ", ".join(
            f"{name} {score.removed:.3f} (twice {score.removed_twice:.3f})" for name, score in self.kinds.items()
        )
        return (
            f"validation: IoU error {self.coarse:.4f} -> {self.error:.4f}; error removed: {kinds}; "
            f"exact masks lose {self.exact:.4f}"
        )


class Validation:
    """Patches of held-aside pairs, kept as bytes; the same ones whatever the run's seed."""

    def __init__(self, store: Store, recipe: Recipe) -> None:
        host = np.random.default_rng(SEED)
        generator = torch.Generator(store.device)
        generator.manual_seed(SEED)
        count, side = recipe.validation_patches, recipe.validation_side
        kinds: dict[str, list[Tensor]] = {name: [] for name in KINDS}
        images, valids, truths = [], [], []
        for start in range(0, count, CHUNK):
            size = min(CHUNK, count - start)
            views = draw_views(store, size, side, recipe, host, plain=True)
            image, valid, distance = look(store, views)
            truth = (distance > 0).float()
            draws = Draws(generator, size, side)
            any_kind = Kinds.draw(size, 0, host, store.device)
            for name, mistakes in KINDS.items():
                coarse = edge_mistakes(store, views, draws, any_kind, mistakes, host)
                if name == "lowres":
                    coarse = round_trip(coarse, LOWRES_CELLS)
                kinds[name].append(_bytes(region_mistakes(coarse, truth, image, draws, any_kind, mistakes)))
            images.append(_bytes(image))
            valids.append(_bytes(valid))
            truths.append(_bytes(truth))
        self.image, self.valid, self.truth = torch.cat(images), torch.cat(valids), torch.cat(truths)
        self.coarse = {name: torch.cat(parts) for name, parts in kinds.items()}

    def __call__(self, refine: Refine) -> Report:
        return Report(
            {name: self._score(coarse, refine) for name, coarse in self.coarse.items()},
            self._mean(lambda image, truth: refine(image, truth), self.truth),
        )

    def _score(self, coarse: Tensor, refine: Refine) -> Score:
        errors = [
            torch.cat([1 - iou(mask, truth, valid) for mask in _passes(refine, image, given)], 1)
            for image, given, truth, valid in self._chunks(coarse)
        ]
        return Score(*torch.cat(errors).mean((0, 2, 3)).tolist())

    def _mean(self, refine: Callable[[Tensor, Tensor], Tensor], coarse: Tensor) -> float:
        errors = [1 - iou(refine(image, given), truth, valid) for image, given, truth, valid in self._chunks(coarse)]
        return torch.cat(errors).mean().item()

    def _chunks(self, coarse: Tensor) -> Iterator[list[Tensor]]:
        for start in range(0, len(coarse), CHUNK):
            part = slice(start, start + CHUNK)
            yield [each[part].float() / 255 for each in (self.image, coarse, self.truth, self.valid)]


def _passes(refine: Refine, image: Tensor, coarse: Tensor) -> Iterator[Tensor]:
    """Yield the coarse masks, what the network makes of them, and of that (as 8 bits: a saved soft mask)."""
    yield coarse
    once = refine(image, coarse)
    yield once
    yield refine(image, (once * 255).round() / 255)


def _bytes(values: Tensor) -> Tensor:
    return (values * 255).round().to(torch.uint8)
