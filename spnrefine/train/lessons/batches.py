"""One batch for the network: photographs, coarse masks, truths, and where they count."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from spnrefine.train.data.store import Store, to_device
from spnrefine.train.data.views import draw_views
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.edges import edge_mistakes
from spnrefine.train.mistakes.given import given_masks
from spnrefine.train.mistakes.mix import Kinds
from spnrefine.train.mistakes.photometric import photometric
from spnrefine.train.mistakes.regions import region_mistakes
from spnrefine.train.mistakes.resolution import low_resolution, round_trip
from spnrefine.train.mistakes.scene import make_scene
from spnrefine.train.mistakes.told import told
from spnrefine.train.recipe import Recipe

Refine = Callable[[Tensor, Tensor], Tensor]
"""Takes image and coarse, returns probabilities (N, 1, H, W), without a gradient."""


@dataclass(frozen=True)
class Batch:
    """``image`` (N, 3, S, S); ``coarse``, ``truth`` and ``valid`` (N, 1, S, S); floats 0..1.

    ``near`` (N, 1, S, S) is 1 on the true contour and falls to 0 away from it; ``off`` (N, 1, 1, 1) is what the network
    is told, see :mod:`spnrefine.model.off`; ``sure`` (N,) is 1.0 where the truth is known exactly, else 0.0.
    """

    image: Tensor
    coarse: Tensor
    truth: Tensor
    valid: Tensor
    near: Tensor
    off: Tensor
    sure: Tensor


class Batches:
    """Draw batches from a store; ``host`` and ``device`` are all the random states there are.

    Values that the host needs (records, views, sizes) come from the one, those that stay on the device from the other,
    so that nothing waits for the device; how many patches are treated in one way is fixed, and with it all shapes.
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
        scene = make_scene(self.store, views, draws, recipe, cells=int(host.integers(2, 6)))
        truth = scene.truth
        coarse = edge_mistakes(scene, draws, kinds, recipe, host)
        coarse = low_resolution(coarse, scene, draws, kinds, recipe)
        coarse = region_mistakes(coarse, truth, scene.image, draws, kinds, recipe)
        coarse = given_masks(coarse, scene, draws, recipe)
        image = photometric(scene.image, draws, recipe)
        if refine is not None:
            coarse = self._own_output(image, coarse, refine)
        depth = scene.distance * scene.scale
        exact = (depth / draws.log_uniform(recipe.exact_span) + 0.5).clamp(0, 1)
        exact = torch.lerp(truth, exact, draws.chance(recipe.exact_soft_chance))
        coarse = torch.lerp(coarse, exact, draws.chance(recipe.exact_chance))
        off = told(coarse, truth, scene.valid, draws, recipe)
        near = (-depth.abs() / recipe.edge_pixels).exp()
        image = image.contiguous(memory_format=torch.channels_last)
        return Batch(image, coarse, truth, scene.valid, near, off, scene.sure)

    def _own_output(self, image: Tensor, coarse: Tensor, refine: Refine) -> Tensor:
        """Replace some coarse masks by what the network makes of them, or of hardly legible versions of them."""
        recipe, host = self.recipe, self.host
        count = len(coarse)
        guessed, again = (int(count * chance + 0.5) for chance in (recipe.guess_chance, recipe.again_chance))
        lot = host.permutation(count)[: guessed + again]
        cells = round(float(np.exp(host.uniform(*np.log(recipe.guess_cells)))))
        hard = host.random() < 0.5
        if not len(lot):
            return coarse
        where = to_device(lot, coarse.device)
        given = coarse[where]
        given[:guessed] = round_trip(given[:guessed], cells)
        made = refine(image[where], given)
        return coarse.index_copy(0, where, (made > 0.5).to(coarse.dtype) if hard else made.to(coarse.dtype))
