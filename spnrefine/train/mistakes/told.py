"""How far off the edge of a coarse mask is, as coarsely as it can be known at use, and told half of the time."""

import math

import torch
from torch import Tensor

from spnrefine.model.off import CENTRE, EXACT_PIXELS, LEAST, MOST, OCTAVES
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.recipe import Recipe

CROFTON = math.pi / 4
"""Steps between pixels, across and down, to the length of a contour, for contours of any direction."""


def distance_off(coarse: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return (N, 1, 1, 1): pixels between the contours of two masks, the area between them by the truth's length.

    The contour of a soft mask is where it is a half. All arguments (N, 1, S, S); where ``valid`` is 0 nothing counts.
    """
    wrong = ((coarse > 0.5) != (truth > 0.5)) & (valid > 0)
    across = (truth[..., 1:] != truth[..., :-1]) & (valid[..., 1:] > 0)
    down = (truth[..., 1:, :] != truth[..., :-1, :]) & (valid[..., 1:, :] > 0)
    steps = across.sum((1, 2, 3), keepdim=True) + down.sum((1, 2, 3), keepdim=True)
    return wrong.sum((1, 2, 3), keepdim=True).float() / (CROFTON * steps).clamp(min=1)


def told(coarse: Tensor, truth: Tensor, valid: Tensor, draws: Draws, recipe: Recipe) -> Tensor:
    """Return what the network is told (N, 1, 1, 1), see :mod:`spnrefine.model.off`: whole octaves, not always right.

    Exact masks are told to be so, whenever they are told anything.
    """
    off = distance_off(coarse, truth, valid)
    octave = (off + LEAST).log2() + draws.uniform(-0.5, 0.5) * recipe.told_jitter
    octave = octave.round().clamp(math.log2(LEAST) + 1, MOST)
    octave = torch.where(off < EXACT_PIXELS, math.log2(LEAST), octave)
    return draws.chance(recipe.told_chance) * (octave - CENTRE) / OCTAVES
