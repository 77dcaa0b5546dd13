"""Mistakes along the edge: the truth's distance map, looked up where it is not, moved in and out, softened.

A mask is where its distance map is above zero, so that a warp is a lookup at other positions, dilation and erosion are
a constant added, and an edge that strays is noise added. Between the truth's map and a mistaken one lie masks of any
error: the one that has the error asked for is taken.
"""

import numpy as np
import torch
from torch import Tensor

from spnrefine.train.data.decode import BRUSHES, POLYGONS
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.mistakes.regions import iou
from spnrefine.train.mistakes.scene import Scene
from spnrefine.train.mistakes.shapes import chord, grown_from_seeds
from spnrefine.train.recipe import Recipe

HALVINGS = 8
LEAST_SHARE = 5e-4
"""Of the farthest way from the truth's map to a mistaken one."""


def edge_mistakes(scene: Scene, draws: Draws, kinds: Kinds, recipe: Recipe, rng: np.random.Generator) -> Tensor:
    """Return (N, 1, S, S) floats 0..1: masks whose edges stray, some of them soft."""
    size = scene.size
    stored = 1 - scene.is_drawn
    polygon = kinds.chance("polygon", recipe.polygon_chance, draws) * stored
    brush = kinds.chance("brush", recipe.brush_chance, draws) * stored
    version = torch.where(
        brush > 0, draws.uniform(1 + POLYGONS, 1 + POLYGONS + BRUSHES), polygon * draws.uniform(1, POLYGONS + 1)
    )
    strays = kinds.allows("strays", "soft")
    warp = strays * draws.chance(recipe.warp_chance) * draws.log_uniform(recipe.warp_span) * size
    field = draws.rough(int(rng.integers(2, 9)), channels=2) * warp
    moved = strays * draws.chance(recipe.shift_chance) * draws.log_uniform(recipe.shift_span) * size
    angle = draws.uniform(0, 2 * np.pi)
    field = field + moved * torch.cat([angle.cos(), angle.sin()], 1)
    distance = scene.looked_up(field, version.flatten().long())
    offset = strays * draws.chance(recipe.offset_chance) * draws.log_uniform(recipe.offset_span) * size
    grow = kinds.chance("grows", recipe.grow_chance, draws) * draws.log_uniform(recipe.grow_span) * size * draws.sign()
    distance = distance + grow + offset * draws.rough(int(rng.integers(3, 17)))
    cut = kinds.chance("chord", recipe.chord_chance, draws)
    distance = torch.lerp(distance, chord(distance, scene, draws, recipe), cut)
    seeded = kinds.chance("seeds", recipe.seeds_chance, draws)
    distance = torch.lerp(distance, grown_from_seeds(scene, draws, recipe), seeded)
    distance = _as_wrong_as_asked(distance, scene, (version < 1).float(), draws, recipe)
    soft = kinds.chance("soft", recipe.soft_chance, draws) * draws.log_uniform(recipe.soft_span)
    return (distance * scene.scale / soft.clamp(min=1e-3) + 0.5).clamp(0, 1)


def _as_wrong_as_asked(mistaken: Tensor, scene: Scene, free: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Return maps between the truth's and ``mistaken``, or beyond, whose IoU is one drawn evenly, of some patches.

    Of those that are ``free`` only: a polygon or a brushed mask is as it was drawn by hand. One that is worse than
    anything asked for is brought nearer in any case.
    """
    target = draws.uniform(*recipe.target_span)
    too_bad = iou_of(mistaken, scene.distance, scene.valid) < recipe.target_span[0]
    asked = torch.maximum(free * draws.chance(recipe.target_chance), too_bad.float())
    share = share_towards(scene.distance, mistaken, target, scene.valid, recipe.target_most)
    return torch.where(asked > 0, torch.lerp(scene.distance, mistaken, share), mistaken)


def share_towards(truth: Tensor, mistaken: Tensor, target: Tensor, valid: Tensor, most: float) -> Tensor:
    """Return (N, 1, 1, 1) how far to go from the truth's map to a mistaken one for an IoU of ``target``.

    At most ``most`` times the way, where even that is not as wrong. Looked for by halving, on every other pixel, and by
    factors rather than steps: beside a thin thing a hundredth of the way may be too far.
    """
    truth, mistaken, valid = (each[..., ::2, ::2] for each in (truth, mistaken, valid))
    low, high = torch.full_like(target, most * LEAST_SHARE), torch.full_like(target, most)
    for _ in range(HALVINGS):
        middle = (low * high).sqrt()
        good = iou_of(torch.lerp(truth, mistaken, middle), truth, valid) >= target
        low, high = torch.where(good, middle, low), torch.where(good, high, middle)
    return low


def iou_of(distance: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return (N, 1, 1, 1) intersection over union of where two maps are above zero."""
    return iou((distance > 0).float(), (truth > 0).float(), valid)
