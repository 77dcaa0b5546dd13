"""Mistakes of whole regions, as segmentation networks make them: parts missed, other things taken along, doubts."""

import torch
import torch.nn.functional as F
from torch import Tensor

from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.recipe import Recipe


def region_mistakes(coarse: Tensor, truth: Tensor, image: Tensor, draws: Draws, kinds: Kinds, recipe: Recipe) -> Tensor:
    """Return ``coarse`` with regions missing, too many or doubtful.

    Parameters
    ----------
    coarse, truth : (N, 1, S, S) floats 0..1.
    image : (N, 3, S, S) floats 0..1.
    """
    allowed = kinds.allows("regions")
    mistaken = blob(coarse, truth, None, allowed * draws.chance(recipe.blob_chance), draws, recipe)
    mistaken = blob(mistaken, truth, image, allowed * draws.chance(recipe.similar_chance), draws, recipe)
    mistaken = torch.maximum(mistaken, allowed * draws.chance(recipe.donor_chance) * truth.roll(1, 0).flip(3))
    mistaken = uneven(mistaken, allowed * draws.chance(recipe.saliency_chance), draws)
    mistaken = weak(mistaken, allowed * draws.chance(recipe.weak_chance), draws)
    return torch.where(iou(mistaken, truth) < recipe.least_iou, coarse, mistaken)


def blob(coarse: Tensor, truth: Tensor, image: Tensor | None, strength: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Add a region around a random point, or take it away where the point lies in the object.

    With ``image``, the region holds the pixels whose colours are like those around the point and ends at edges of the
    photograph, as the mistakes of networks do.
    """
    side = draws.side
    centre = draws.uniform(0.1, 0.9, channels=2)
    axis = (torch.arange(side, device=coarse.device) + 0.5) / side
    dx, dy = axis.view(1, 1, 1, -1) - centre[:, :1], axis.view(1, 1, -1, 1) - centre[:, 1:]
    radius = draws.log_uniform(recipe.region_span) * (1.0 if image is None else 1.6)
    stretch = draws.uniform(0.6, 1.6)
    field = 1 - (dx * dx * stretch + dy * dy / stretch).sqrt() / radius + 0.3 * draws.rough(5)
    grid = centre.permute(0, 2, 3, 1) * 2 - 1
    if image is not None:
        smooth = F.avg_pool2d(image, 4, ceil_mode=True)
        anchor = F.grid_sample(F.avg_pool2d(smooth, 3, 1, 1), grid, align_corners=False, padding_mode="border")
        unlike = (smooth - anchor).square().sum(1, keepdim=True).sqrt()
        unlike = F.interpolate(unlike, (side, side), mode="bilinear", align_corners=False)
        field = field + 0.3 - unlike * draws.uniform(2.0, 6.0)
    region = (field * draws.log_uniform((3.0, 40.0))).clamp(0, 1) * strength * draws.uniform(0.4, 1.6).clamp(max=1)
    inside = F.grid_sample(truth, grid, mode="nearest", align_corners=False, padding_mode="border")
    return torch.where(inside > 0.5, coarse * (1 - region), torch.maximum(coarse, region))


def uneven(coarse: Tensor, strength: Tensor, draws: Draws) -> Tensor:
    """Return maps like those of saliency networks: blurred, with a gamma, fading here and there."""
    side = draws.side
    blurred = F.interpolate(F.avg_pool2d(coarse, side // 16), (side, side), mode="bilinear", align_corners=False)
    fade = (1.1 + 0.5 * draws.rough(4)).clamp(0.15, 1)
    map_ = (torch.lerp(coarse, blurred, draws.uniform(0.2, 1)).clamp(min=1e-4) ** draws.log_uniform((0.5, 2.0))) * fade
    haze = (0.12 * draws.rough(4)).clamp(min=0) * draws.chance(0.5)
    return torch.lerp(coarse, (map_ + haze).clamp(0, 1), strength)


def weak(coarse: Tensor, strength: Tensor, draws: Draws) -> Tensor:
    """Squeeze probabilities towards a half, or their upper end downwards."""
    towards = 0.5 * draws.chance(0.5)
    squeezed = towards + (coarse - towards) * draws.uniform(0.55, 0.95)
    return torch.lerp(coarse, squeezed, strength)


def iou(mask: Tensor, truth: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return (N, 1, 1, 1) intersection over union of masks above one half; 1 where both are empty."""
    a, b = mask > 0.5, truth > 0.5
    if valid is not None:
        a, b = a & (valid > 0), b & (valid > 0)
    both, either = ((each.sum((1, 2, 3), keepdim=True)).float() for each in (a & b, a | b))
    return torch.where(either > 0, both / either.clamp(min=1), torch.ones_like(either))
