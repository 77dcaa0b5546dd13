"""The kinds of coarse masks that a network is measured on: one kind of mistake each, the same every time."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from torch import Tensor

from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.edges import edge_mistakes
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.mistakes.regions import region_mistakes
from spnrefine.train.mistakes.resolution import low_resolution
from spnrefine.train.mistakes.scene import Scene
from spnrefine.train.recipe import Recipe

MISTAKES = tuple(field.name for field in fields(Recipe) if field.name.endswith("_chance"))
_NOTHING: dict[str, Any] = dict.fromkeys(MISTAKES, 0.0)
CLEAN = replace(Recipe(), **_NOTHING)
"""Nothing happens."""

KINDS: dict[str, Recipe] = {
    "lowres": replace(CLEAN, lowres_chance=1, lowres_span=(8.0, 16.0)),
    "polygon": replace(CLEAN, polygon_chance=1),
    "brush": replace(CLEAN, brush_chance=1),
    "warped": replace(
        CLEAN, warp_chance=1, shift_chance=0.5, offset_chance=1, target_chance=1, target_span=(0.65, 0.95)
    ),
    "seeds": replace(CLEAN, seeds_chance=1, target_chance=1, target_span=(0.6, 0.95)),
    "regions": replace(
        CLEAN, blob_chance=0.5, similar_chance=0.7, saliency_chance=0.6, offset_chance=1, offset_span=(0.01, 0.02)
    ),
    "soft": replace(
        CLEAN, soft_chance=1, soft_span=(4.0, 20.0), grow_chance=0.5, offset_chance=1, target_chance=1,
        target_span=(0.85, 0.98),
    ),
    "exact": CLEAN,
}  # fmt: skip


@dataclass(frozen=True)
class Mistaken:
    """Makes the coarse masks of a kind."""

    recipe: Recipe

    def __call__(self, scene: Scene, draws: Draws, host: np.random.Generator) -> Tensor:
        """Return (N, 1, S, S) floats 0..1."""
        every = Kinds(np.full(draws.count, -1), scene.image.device)
        coarse = edge_mistakes(scene, draws, every, self.recipe, host)
        coarse = low_resolution(coarse, scene, draws, every, self.recipe)
        return region_mistakes(coarse, scene.truth, scene.image, draws, every, self.recipe)


MAKERS: dict[str, Callable[[Scene, Draws, np.random.Generator], Tensor]] = {
    name: Mistaken(recipe) for name, recipe in KINDS.items()
}
