"""Mistakes of a stretch or of all of the contour: a straight line across, or a region grown from a few seeds."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.scene import Scene
from spnrefine.train.recipe import Recipe

SEEDS = 3
COARSER = 4
"""Regions are grown at a fourth of the resolution."""
FAR = 32.0


def chord(distance: Tensor, scene: Scene, draws: Draws, recipe: Recipe) -> Tensor:
    """Return ``distance`` (N, 1, S, S) with a stretch of contour dropped: what lies beyond a straight line is lost.

    The line cuts off a share of the object's extent across it.
    """
    side = distance.shape[-1]
    axis = torch.arange(side, device=distance.device, dtype=distance.dtype)
    angle = draws.uniform(0, 2 * np.pi)
    along = axis.view(1, 1, 1, -1) * angle.cos() + axis.view(1, 1, -1, 1) * angle.sin()
    inside = scene.distance > 0
    last = along.masked_fill(~inside, -torch.inf).amax((2, 3), keepdim=True)
    first = along.masked_fill(~inside, torch.inf).amin((2, 3), keepdim=True)
    extent = (last - first).clamp(min=0)  # -inf without an object, whose map is left alone
    line = last - draws.uniform(*recipe.chord_span) * extent
    return torch.minimum(distance, torch.where(extent > 0, (line - along) / scene.scale, distance))


def grown_from_seeds(scene: Scene, draws: Draws, recipe: Recipe) -> Tensor:
    """Return maps (N, 1, S, S), pixels: what is near to a few points in the object, and of their colours.

    As large as the object, more or less: what lacks here is too many there.
    """
    count, side = draws.count, draws.side
    image = F.avg_pool2d(scene.image, COARSER)
    inside = (F.avg_pool2d(scene.distance, COARSER) > 0).float()
    small = image.shape[-1]
    fewer = Draws(draws.generator, count, small)
    lot = (torch.rand(inside.shape, generator=draws.generator, device=inside.device) * (inside + 1e-3)).flatten(1)
    at = lot.topk(SEEDS, 1).indices
    colours = image.flatten(2).gather(2, at[:, None].expand(-1, 3, -1))
    axis = torch.arange(small, device=image.device)
    x, y = (at % small).view(count, SEEDS, 1, 1), (at // small).view(count, SEEDS, 1, 1)
    near = ((axis.view(1, 1, 1, -1) - x) ** 2 + (axis.view(1, 1, -1, 1) - y) ** 2).sqrt() * COARSER
    near = near / (scene.size * scene.scale)
    unlike = (image[:, None] - colours.permute(0, 2, 1)[..., None, None]).square().sum(2).sqrt()
    cost = (near + draws.log_uniform(recipe.seeds_colour) * unlike).amin(1, keepdim=True) + 0.08 * fewer.rough(6)
    area = inside.sum((1, 2, 3)) * draws.uniform(*recipe.seeds_area).flatten()
    ranked = cost.flatten(1).sort(1).values
    limit = ranked.gather(1, area.long().clamp(1, small * small - 1)[:, None]).view(-1, 1, 1, 1)
    field = ((limit - cost) * scene.size).clamp(-FAR, FAR)
    return F.interpolate(field, (side, side), mode="bilinear", align_corners=False)
