"""Coarse masks that real networks made, in place of made mistakes: theirs are regions, not just edges."""

import torch
from torch import Tensor

from spnrefine.train.data.decode import POLYGONS
from spnrefine.train.data.distance import REACH
from spnrefine.train.data.store import Store
from spnrefine.train.data.views import Views, distances, positions
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.regions import iou
from spnrefine.train.recipe import Recipe


def given_masks(coarse: Tensor, truth: Tensor, store: Store, views: Views, draws: Draws, recipe: Recipe) -> Tensor:
    """Return ``coarse`` (N, 1, S, S), floats 0..1, with some masks replaced by those that networks made.

    Only of records that have any, and where the network found the object at all.
    """
    if not store.any_given:
        return coarse
    count = store.given[views.records].view(-1, 1, 1, 1)
    number = (draws.uniform() * count).long().minimum((count - 1).clamp(min=0))
    chosen = draws.chance(recipe.given_chance) * (count > 0)
    version = (chosen * (1 + POLYGONS + number)).flatten().long()
    parts, start = [], 0
    for part in views.parts():
        end = start + len(part)
        parts.append(distances(store, part, positions(part, part.side), version[start:end]))
        start = end
    mask = (torch.cat(parts) / (2 * REACH) + 0.5).clamp(0, 1)
    mask = torch.lerp(mask, (mask > 0.5).float(), draws.chance(recipe.given_hard_chance))
    fits = iou(mask, truth) >= recipe.least_iou
    return torch.where((chosen > 0) & fits, mask, coarse)
