"""Thin bent strokes drawn on photographs: things a few pixels wide, whose truth is known exactly."""

import torch
from torch import Tensor

from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.recipe import Recipe


def strokes(image: Tensor, draws: Draws, recipe: Recipe, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw strokes along the zeros of smooth noise, broken off here and there.

    Parameters
    ----------
    image : (N, 3, S, S) floats 0..1. cells : bumps of the noise across a patch.

    Returns
    -------
    The image with strokes on it; their depth (N, 1, S, S) in pixels of the patch, positive on a stroke; their width
    (N, 1, 1, 1) in the same.
    """
    noise = draws.rough(cells)
    down, across = torch.gradient(noise, dim=(2, 3))
    slope = (down.square() + across.square()).sqrt()
    # beyond a few pixels the distance is none any more; a floor on the slope keeps blots away, where it vanishes
    away = noise.abs() / slope.clamp(min=0.25 * slope.mean((2, 3), keepdim=True) + 1e-6)
    width = draws.log_uniform(recipe.stroke_span)
    broken = (draws.smooth(cells + 1) + draws.uniform(0.0, 1.5)) * (draws.side / 8)
    depth = torch.minimum(width / 2 - away, broken).clamp(-32, 32)
    ink = _ink(image, draws, recipe)
    cover = (depth + 0.5).clamp(0, 1) * draws.uniform(0.5, 1.0)
    return torch.lerp(image, ink, cover), depth, width


def _ink(image: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Return colours (N, 3, 1, 1): darker or lighter than the photograph is on the whole, a little tinted."""
    mean = image.mean((2, 3), keepdim=True)
    lighter = draws.uniform(*recipe.stroke_contrast) * draws.sign()
    return (mean + lighter + draws.uniform(-0.1, 0.1, channels=3)).clamp(0, 1)
