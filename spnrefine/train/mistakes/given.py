"""Coarse masks that real networks made, in place of made mistakes: theirs are regions, not just edges."""

import torch
from torch import Tensor

from spnrefine.train.data.decode import REDRAWN
from spnrefine.train.data.distance import REACH
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.regions import iou
from spnrefine.train.mistakes.scene import Scene
from spnrefine.train.recipe import Recipe


def given_masks(coarse: Tensor, scene: Scene, draws: Draws, recipe: Recipe) -> Tensor:
    """Return ``coarse`` (N, 1, S, S), floats 0..1, with some masks replaced by those that networks made.

    Only of records that have any, where the photograph is as it was, and where the network found the object at all.
    """
    store, views = scene.store, scene.views
    if not store.any_given:
        return coarse
    count = store.given[views.records].view(-1, 1, 1, 1) * (1 - scene.sure.long()).view(-1, 1, 1, 1)
    number = (draws.uniform() * count).long().minimum((count - 1).clamp(min=0))
    chosen = draws.chance(recipe.given_chance) * (count > 0)
    version = (chosen * (1 + REDRAWN + number)).flatten().long()
    still = coarse.new_zeros(len(coarse), 2, 1, 1)
    mask = (scene.looked_up(still, version) / (2 * REACH) + 0.5).clamp(0, 1)
    mask = torch.lerp(mask, (mask > 0.5).float(), draws.chance(recipe.given_hard_chance))
    fits = iou(mask, scene.truth) >= recipe.least_iou
    return torch.where((chosen > 0) & fits, mask, coarse)
