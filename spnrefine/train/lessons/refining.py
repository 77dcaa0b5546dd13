"""The lesson of the refiner of one object: made mistakes along edges and of regions, to be undone."""

from typing import Any

import torch
from torch import Tensor, nn

from spnrefine.model.spn import SPN
from spnrefine.train.lessons.batches import Batch, Batches
from spnrefine.train.lessons.lesson import Infer, Lost
from spnrefine.train.lessons.losses import auxiliary_loss, edge_loss, patch_weights, refinement_loss
from spnrefine.train.recipe import Recipe
from spnrefine.train.steps.checkpoint import random_states, set_random_states


class Refining:
    """Patches of objects with coarse masks made from their truth."""

    capturable = True

    def __init__(self, batches: Batches, recipe: Recipe) -> None:
        self.batches, self.recipe = batches, recipe
        self.device: torch.device = batches.store.device

    def prepare(self, model: nn.Module, *, continued: bool) -> None:
        assert isinstance(model, SPN)
        if not continued:  # a new head's first gradients move features that are good already
            model.add_auxiliary()
        if continued and self.recipe.frozen_norms_continued:
            freeze_norms(model)

    @property
    def turns(self) -> int:
        return len(self.recipe.batches)

    def draw(self, step: int, infer: Infer) -> Batch:
        count, side = self.recipe.batches[step % len(self.recipe.batches)]
        if self.device.type == "cpu":
            count = max(1, count // self.recipe.cpu_scale)

        def refine(image: Tensor, coarse: Tensor) -> Tensor:
            return infer(image, coarse).sigmoid()

        return self.batches.draw(count, side, refine)

    def loss(self, model: nn.Module, batch: Batch) -> Lost:
        assert isinstance(model, SPN)
        weight = patch_weights(batch.coarse, batch.truth, batch.valid, self.recipe.error_offset)
        logits, *heads = model.supervised(batch.image, batch.coarse, batch.off)
        edges = weight * (1 + self.recipe.sure_weight * batch.sure)
        loss = refinement_loss(logits, batch.truth, batch.valid, weight)
        loss = loss + self.recipe.edge_weight * edge_loss(logits, batch.truth, batch.valid, batch.near, edges)
        auxiliary = sum(auxiliary_loss(head, batch.truth, batch.valid) for head in heads)
        return Lost(loss + self.recipe.auxiliary_weight * auxiliary, loss, len(batch.image))

    def state(self) -> dict[str, Any]:
        return random_states(self.batches)

    def set_state(self, state: dict[str, Any]) -> None:
        set_random_states(self.batches, state)


def freeze_norms(model: nn.Module) -> None:
    """Let batch norms keep the statistics they have."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
