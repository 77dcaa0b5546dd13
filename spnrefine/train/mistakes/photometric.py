"""What light, lens, sensor and colouring do to a photograph, made on a batch."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.recipe import Recipe

LUMA = (0.299, 0.587, 0.114)


def photometric(image: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Return ``image`` (N, 3, S, S), floats 0..1, under other light, through another lens, with noise."""
    image = coloured(image, draws, recipe)
    on = draws.chance(recipe.photometric_chance)
    red, green, blue = (image[:, c : c + 1] * share for c, share in enumerate(LUMA))
    gray = red + green + blue
    mean = gray.mean((2, 3), keepdim=True)
    colour = (on * draws.uniform(-recipe.saturation, recipe.saturation)).exp()
    flat = draws.chance(recipe.flat_chance)
    contrast = (on * draws.uniform(-recipe.contrast, recipe.contrast)).exp()
    contrast = torch.lerp(contrast, draws.uniform(*recipe.flat_span), flat)
    light = on * draws.uniform(-recipe.brightness, recipe.brightness)
    cast = on * draws.uniform(-recipe.colour_cast, recipe.colour_cast, channels=3)
    # one multiplication and one addition for saturation, contrast, brightness and cast
    changed = image * (colour * contrast) + (gray * ((1 - colour) * contrast) + (mean * (1 - contrast) + light + cast))
    gamma = (on * draws.uniform(-recipe.gamma, recipe.gamma)).exp()
    changed = changed.clamp(1e-4, 1) ** gamma
    return _noisy(_focused(changed, draws, recipe), draws, recipe)


def coloured(image: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Return some of the images gray, in false colours (channels mixed anew, each stretched back) or inverted."""
    luma = _luma(image.device)
    mixed = draws.white_numbers(9).view(-1, 3, 3)
    mixed = mixed / mixed.abs().sum(2, keepdim=True).clamp(min=1e-3)
    kept = torch.eye(3, device=image.device)
    gray, false = (draws.chance(each).view(-1, 1, 1) for each in (recipe.gray_chance, recipe.false_colour_chance))
    matrix = torch.lerp(torch.lerp(kept.expand_as(mixed), mixed, false), luma.expand_as(mixed), gray)
    # a negative share of a channel is one of its inverse, so that all stays in 0..1
    shift = (-matrix).clamp(min=0).sum(2)
    inverted = draws.chance(recipe.inverted_chance).view(-1, 1, 1)
    matrix, shift = matrix * (1 - 2 * inverted), torch.lerp(shift, 1 - shift, inverted[:, :, 0])
    shift = shift[..., None, None]
    weights = matrix[..., None, None]  # sums by hand: a product of matrices would be made in bfloat16 where that is on
    for channel in range(3):
        shift = shift + weights[:, :, channel] * image[:, channel : channel + 1]
    return shift


@cache
def _luma(device: torch.device) -> Tensor:
    """Return (3, 3), the same in each row; copied to the device once."""
    return torch.tensor([LUMA] * 3, device=device)


def _focused(image: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Return images duller or sharper than they were: moved towards a smoothed version, or away from it."""
    smooth = smoothed(image)
    blurred = torch.lerp(smooth, smoothed(smoothed(smooth)), draws.chance(recipe.blur_far_chance))
    blurs, sharpens = draws.chance(recipe.blur_chance), draws.chance(recipe.sharp_chance)
    share = blurs * draws.uniform(0.3, 1) - (1 - blurs) * sharpens * draws.uniform(*recipe.sharp_span)
    return torch.lerp(image, blurred, share)


def smoothed(image: Tensor) -> Tensor:
    """Return means of 3 by 3 pixels, borders repeated; faster on CPUs than a pooling layer."""
    wide = F.pad(image, (1, 1, 1, 1), mode="replicate")
    rows = wide[:, :, :-2] + wide[:, :, 1:-1] + wide[:, :, 2:]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def _noisy(image: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Add white noise, or the coarser grain that enlarging and compressing leave."""
    white = draws.white(3)
    grain = 2 * smoothed(white)
    noise = torch.lerp(white, grain, draws.chance(recipe.grain_chance))
    deviation = draws.chance(recipe.noise_chance) * draws.uniform(0, recipe.noise)
    return (image + noise * deviation).clamp(0, 1)
