"""One batch for the network: photographs, coarse masks, truths, and where they count."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spnrefine.train.data.store import Store
from spnrefine.train.data.views import draw_views, look
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.edges import edge_mistakes, low_resolution, round_trip
from spnrefine.train.mistakes.given import given_masks
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.mistakes.photometric import photometric
from spnrefine.train.mistakes.regions import region_mistakes
from spnrefine.train.recipe import Recipe

Refine = Callable[[Tensor, Tensor], Tensor]
"""Takes image and coarse, returns probabilities (N, 1, H, W), without a gradient."""


@dataclass(frozen=True)
class Batch:
    """``image`` (N, 3, S, S); ``coarse``, ``truth`` and ``valid`` (N, 1, S, S); floats 0..1."""

    image: Tensor
    coarse: Tensor
    truth: Tensor
    valid: Tensor


class Batches:
    """Draw batches from a store; ``host`` and ``device`` are all the random states there are.

    Values that the host needs (records, views, sizes) come from the one, those that stay on the device from the other,
    so that nothing waits for the device.
    """

    def __init__(self, store: Store, recipe: Recipe, seed: int) -> None:
        self.store = store
        self.recipe = recipe
        self.host = np.random.default_rng(seed)
        self.device = torch.Generator(store.device)
        self.device.manual_seed(seed)

    def draw(self, count: int, side: int, refine: Refine | None = None) -> Batch:
        """Return ``count`` patches of ``side`` by ``side``; ``refine`` is the network, for its own output as input."""
        recipe, host = self.recipe, self.host
        views = draw_views(self.store, count, side, recipe, host)
        draws = Draws(self.device, count, side)
        kinds = Kinds.draw(count, recipe.single_chance, host, self.store.device)
        image, valid, distance = look(self.store, views)
        truth = (distance > 0).float()
        coarse = edge_mistakes(self.store, views, draws, kinds, recipe, host)
        coarse = low_resolution(coarse, views, kinds, recipe, host)
        coarse = region_mistakes(coarse, truth, image, draws, kinds, recipe)
        coarse = given_masks(coarse, truth, self.store, views, draws, recipe)
        coarse = torch.lerp(coarse, truth, draws.chance(recipe.exact_chance))
        image = photometric(image, draws, recipe)
        if refine is not None:
            coarse = self._own_output(image, coarse, refine)
        layout = torch.channels_last
        return Batch(image.contiguous(memory_format=layout), coarse, truth, valid)

    def _own_output(self, image: Tensor, coarse: Tensor, refine: Refine) -> Tensor:
        """Replace some coarse masks by what the network makes of them, or of hardly legible versions of them."""
        recipe, host = self.recipe, self.host
        lot = host.random(len(coarse))
        guessed = np.flatnonzero(lot < recipe.guess_chance)
        again = np.flatnonzero((lot >= recipe.guess_chance) & (lot < recipe.guess_chance + recipe.again_chance))
        cells = round(float(np.exp(host.uniform(*np.log(recipe.guess_cells)))))
        hard = host.random() < 0.5
        if not len(guessed) + len(again):
            return coarse
        where = torch.from_numpy(np.concatenate([guessed, again])).to(coarse.device)
        given = coarse[where]
        given[: len(guessed)] = round_trip(given[: len(guessed)], cells)
        made = refine(image[where], given)
        return coarse.index_copy(0, where, (made > 0.5).to(coarse.dtype) if hard else made.to(coarse.dtype))
