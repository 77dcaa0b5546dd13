"""Mistakes along the edge: the truth's distance map, looked up where it is not, moved in and out, softened.

A mask is where its distance map is above zero, so that a warp is a lookup at other positions, dilation and erosion are
a constant added, and an edge that strays is noise added.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from spnrefine.train.data.decode import POLYGONS
from spnrefine.train.data.store import Store
from spnrefine.train.data.views import Views, distances, positions
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.recipe import Recipe

RESAMPLERS = ("bilinear", "bilinear", "nearest", "bicubic")


def edge_mistakes(
    store: Store, views: Views, draws: Draws, kinds: Kinds, recipe: Recipe, rng: np.random.Generator
) -> Tensor:
    """Return (N, 1, S, S) floats 0..1: masks whose edges stray, some of them soft."""
    size = views.object_size
    version = (kinds.chance("polygon", recipe.polygon_chance, draws) * draws.uniform(1, POLYGONS + 1)).flatten().long()
    strays = kinds.allows("strays")
    warp = strays * draws.chance(recipe.warp_chance) * draws.log_uniform(recipe.warp_span) * size
    field = draws.rough(int(rng.integers(2, 9)), channels=2) * warp
    parts, start = [], 0
    for part in views.parts():
        end = start + len(part)
        at = positions(part, part.side) + field[start:end]
        parts.append(distances(store, part, at, version[start:end]))
        start = end
    offset = strays * draws.chance(recipe.offset_chance) * draws.log_uniform(recipe.offset_span) * size
    grow = kinds.chance("grows", recipe.grow_chance, draws) * draws.log_uniform(recipe.grow_span) * size * draws.sign()
    distance = torch.cat(parts) + grow + offset * draws.rough(int(rng.integers(3, 17)))
    soft = kinds.chance("soft", recipe.soft_chance, draws) * draws.log_uniform(recipe.soft_span)
    return (distance * views.scale / soft.clamp(min=1e-3) + 0.5).clamp(0, 1)


def low_resolution(coarse: Tensor, views: Views, kinds: Kinds, recipe: Recipe, rng: np.random.Generator) -> Tensor:
    """Return ``coarse`` (N, 1, S, S) with some masks averaged down and brought back, soft or made hard again.

    The sizes are needed on the host and therefore drawn there: a few of them, each for some of the patches.
    """
    chosen = kinds.chance_on_host("low resolution", recipe.lowres_chance, rng)
    frames, zooms = np.flatnonzero(chosen & views.frame), np.flatnonzero(chosen & ~views.frame)
    groups = [(frames, recipe.lowres_cells), *((part, 4.0) for part in np.array_split(zooms, 3))]
    result = coarse.clone()
    for members, least in groups:
        if not len(members):
            continue
        pixels = np.exp(rng.uniform(*np.log(recipe.lowres_span)))
        cells = int(np.clip(views.side / pixels, least, views.side / 2))
        mode = RESAMPLERS[rng.integers(len(RESAMPLERS))]
        threshold = rng.uniform(*recipe.threshold_span) if rng.random() < recipe.threshold_chance else None
        where = torch.from_numpy(members).to(coarse.device)
        result[where] = round_trip(coarse[where], cells, mode, threshold)
    return result


def round_trip(mask: Tensor, cells: int, mode: str = "bilinear", threshold: float | None = None) -> Tensor:
    """Average ``mask`` (N, 1, S, S) down to ``cells`` squared and bring it back, hard where there is a threshold."""
    small = F.interpolate(mask, (cells, cells), mode="area")
    extra = {} if mode == "nearest" else {"align_corners": False}
    back = F.interpolate(small, mask.shape[-2:], mode=mode, **extra).clamp(0, 1)
    return back if threshold is None else (back > threshold).float()
