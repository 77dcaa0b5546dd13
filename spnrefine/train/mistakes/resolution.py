"""Masks made at a lower resolution and brought back, as networks make them."""

import torch
import torch.nn.functional as F
from torch import Tensor

from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.mistakes.regions import iou
from spnrefine.train.mistakes.scene import Scene
from spnrefine.train.recipe import Recipe

FINEST = 2.0  # output pixels a cell


def low_resolution(coarse: Tensor, scene: Scene, draws: Draws, kinds: Kinds, recipe: Recipe) -> Tensor:
    """Return ``coarse`` (N, 1, S, S) with some masks averaged down and brought back, soft or made hard again.

    Cells have a size in pixels of the photograph, but are no larger than a share of the object.
    """
    happens = kinds.chance("low resolution", recipe.lowres_chance, draws)
    cell = draws.log_uniform(recipe.lowres_span).minimum(recipe.lowres_most * scene.size) * scene.scale
    back = lowered(coarse, cell, draws.uniform(channels=2), draws.chance(recipe.lowres_nearest))
    limit = draws.uniform(*recipe.threshold_span)
    back = torch.where(draws.chance(recipe.threshold_chance) > 0, (back > limit).float(), back)
    # a mask whose parts all vanish in their cells tells nobody what was meant
    return torch.where((happens > 0) & (iou(back, scene.truth) >= recipe.least_iou), back, coarse)


def lowered(mask: Tensor, cell: Tensor, phase: Tensor, nearest: Tensor) -> Tensor:
    """Average masks over cells and bring them back by bilinear interpolation, each with cells of its own size.

    Parameters
    ----------
    mask : (N, 1, S, S) floats 0..1.
    cell : (N, 1, 1, 1) pixels, from :data:`FINEST` to S.
    phase : (N, 2, 1, 1) from 0 to 1: the share of the first cell, across and down, that lies outside.
    nearest : (N, 1, 1, 1) 1.0 where each pixel takes its cell's value as it is.

    Notes
    -----
    Means of cells of any size are differences of sums over all that lies above and to the left (Crow, SIGGRAPH 1984).
    """
    side = mask.shape[-1]
    cell, phase = cell.clamp(FINEST, side).view(-1, 1, 1), phase.view(-1, 2, 1)
    most = int(side / FINEST) + 2
    sums = F.pad(mask.float().cumsum(2).cumsum(3), (1, 0, 1, 0))
    edges = ((torch.arange(most + 1, device=mask.device) - phase) * cell).clamp(0, side)  # (N, 2, most + 1)
    corners = F.grid_sample(sums, _grid(edges / side * 2 - 1), align_corners=True)
    total = corners.diff(dim=2).diff(dim=3)
    size = edges.diff(dim=2)
    area = size[:, 1, :, None] * size[:, 0, None, :]
    means = total / area.clamp(min=1e-3)[:, None]
    at = (torch.arange(side, device=mask.device) + 0.5) / cell + phase - 0.5
    # cells that lie outside for the most part, or altogether, take no part
    first = (phase > 0.75).float()
    last = ((side / cell + phase - 0.25).ceil() - 1).clamp(min=0)
    at = torch.minimum(torch.maximum(at, first), last)
    at = torch.where(nearest.view(-1, 1, 1) > 0, at.round(), at)
    return F.grid_sample(means, _grid(at / (most - 1) * 2 - 1), align_corners=True).clamp(0, 1)


def _grid(at: Tensor) -> Tensor:
    """Return (N, K, K, 2) positions of all pairs of x and y in ``at`` (N, 2, K)."""
    count, _, length = at.shape
    x, y = at[:, 0, None, :].expand(-1, length, -1), at[:, 1, :, None].expand(-1, -1, length)
    return torch.stack([x, y], -1).view(count, length, length, 2)


def round_trip(mask: Tensor, cells: int) -> Tensor:
    """Average ``mask`` (N, 1, S, S) down to ``cells`` squared and bring it back."""
    small = F.interpolate(mask, (cells, cells), mode="area")
    return F.interpolate(small, mask.shape[-2:], mode="bilinear", align_corners=False).clamp(0, 1)
