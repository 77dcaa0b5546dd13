"""What light, lens and sensor do to a photograph, made on a batch."""

import torch.nn.functional as F
from torch import Tensor

from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.recipe import Recipe

LUMA = (0.299, 0.587, 0.114)


def photometric(image: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Return ``image`` (N, 3, S, S), floats 0..1, under other light, through another lens, with noise."""
    on = draws.chance(recipe.photometric_chance)
    gray = (image * image.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
    mean = gray.mean((2, 3), keepdim=True)
    colour = (on * draws.uniform(-recipe.saturation, recipe.saturation)).exp()
    contrast = (on * draws.uniform(-recipe.contrast, recipe.contrast)).exp()
    light = on * draws.uniform(-recipe.brightness, recipe.brightness)
    cast = on * draws.uniform(-recipe.colour_cast, recipe.colour_cast, channels=3)
    # one multiplication and one addition for saturation, contrast, brightness and cast
    changed = image * (colour * contrast) + (gray * ((1 - colour) * contrast) + (mean * (1 - contrast) + light + cast))
    gamma = (on * draws.uniform(-recipe.gamma, recipe.gamma)).exp()
    changed = changed.clamp(1e-4, 1) ** gamma
    blurred = F.avg_pool2d(changed, 3, 1, 1, count_include_pad=False)
    changed = changed + (blurred - changed) * (draws.chance(recipe.blur_chance) * draws.uniform(0.3, 1))
    deviation = draws.chance(recipe.noise_chance) * draws.uniform(0, recipe.noise)
    return (changed + draws.white(3) * deviation).clamp(0, 1)
