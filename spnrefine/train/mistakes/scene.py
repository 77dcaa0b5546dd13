"""What a batch of patches shows: photographs as they are, cut-outs put over others, thin things drawn on them."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from spnrefine.train.data.store import Store
from spnrefine.train.data.views import Views, distances, look, positions
from spnrefine.train.mistakes.cutouts import cut_out
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.strokes import strokes
from spnrefine.train.recipe import Recipe


@dataclass(frozen=True)
class Scene:
    """N patches and their truth.

    image : (N, 3, S, S) floats 0..1. valid : (N, 1, S, S), 0 where nothing counts.
    distance : (N, 1, S, S) floats, pixels of the photograph, positive in the object.
    scale : (N, 1, 1, 1) output pixels a pixel of the photograph. size : (N, 1, 1, 1) of the object, pixels.
    cut : (N, 1, 1, 1) pixels by which the object was cut out further in than its mask.
    drawn : how many patches, the first ones, hold drawn things instead of the store's objects.
    sure : (N,) 1.0 where the truth is known exactly, else 0.0.
    """

    store: Store
    views: Views
    image: Tensor
    valid: Tensor
    distance: Tensor
    scale: Tensor
    size: Tensor
    cut: Tensor
    drawn: int
    sure: Tensor

    @property
    def truth(self) -> Tensor:
        return (self.distance > 0).float()

    @property
    def is_drawn(self) -> Tensor:
        """(N, 1, 1, 1): 1.0 for the first ones."""
        return (torch.arange(len(self.sure), device=self.sure.device) < self.drawn).float().view(-1, 1, 1, 1)

    def looked_up(self, moved: Tensor, version: Tensor) -> Tensor:
        """Return distances (N, 1, S, S) seen ``moved`` (N, 2, S, S) pixels away, of a ``version`` (N,) of the mask."""
        parts, start = [], 0
        for part in self.views.parts():
            end = start + len(part)
            at = positions(part, part.side) + moved[start:end]
            parts.append(distances(self.store, part, at, version[start:end]))
            start = end
        found = torch.cat(parts) - self.cut
        if not self.drawn:
            return found
        side = self.views.side
        axis = (torch.arange(side, device=moved.device) * 2 + 1) / side - 1
        grid = torch.stack([axis.expand(side, side), axis.view(-1, 1).expand(side, side)], -1)
        moved = moved[: self.drawn].expand(-1, -1, side, side)
        grid = grid + (moved * self.scale[: self.drawn] * (2 / side)).permute(0, 2, 3, 1)
        own = F.grid_sample(self.distance[: self.drawn], grid, padding_mode="border", align_corners=False)
        return torch.cat([own, found[self.drawn :]])


def make_scene(store: Store, views: Views, draws: Draws, recipe: Recipe, cells: int) -> Scene:
    """Look at ``views``; of N patches the first few are drawn on, the next few are cut-outs.

    Views are drawn at random, so that it does not matter which; that their number is fixed keeps shapes the same from
    batch to batch. ``cells`` are how many bends drawn things have across a patch.
    """
    count = len(views)
    image, valid, distance = look(store, views)
    size, cut, scale = views.object_size, torch.zeros_like(views.scale), views.scale
    drawn, cuts = (int(count * chance + 0.5) for chance in (recipe.stroke_chance, recipe.cut_chance))
    if cuts:
        there = slice(drawn, drawn + cuts)
        deeper = Draws(draws.generator, cuts, draws.side).uniform(*recipe.cut_span)
        deeper = deeper.minimum(recipe.cut_most * size[there])
        inside = distance[there] - deeper
        others = image.flip(0)[there]
        made = cut_out(image[there], inside * scale[there], others, Draws(draws.generator, cuts, draws.side), recipe)
        image, distance, cut = (
            torch.cat([whole[:drawn], part, whole[there.stop :]])
            for whole, part in ((image, made), (distance, inside), (cut, deeper))
        )
    if drawn:
        few = Draws(draws.generator, drawn, draws.side)
        made, depth, width = strokes(image[:drawn], few, recipe, cells)
        image = torch.cat([made, image[drawn:]])
        distance = torch.cat([depth / scale[:drawn], distance[drawn:]])
        size = torch.cat([recipe.stroke_size * width / scale[:drawn], size[drawn:]])
    sure = (torch.arange(count, device=image.device) < drawn + cuts).float()
    return Scene(store, views, image, valid, distance, scale, size, cut, drawn, sure)
