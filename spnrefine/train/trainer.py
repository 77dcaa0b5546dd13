"""A network in training: one step of it, and everything that changes from step to step."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from spnrefine.errors import SpnRefineError
from spnrefine.model.spn import SPN
from spnrefine.train.batches import Batch, Batches
from spnrefine.train.checkpoint import random_states, set_random_states
from spnrefine.train.losses import auxiliary_loss, refinement_loss
from spnrefine.train.optimiser import (
    MovingAverage,
    average_decay,
    learning_rate,
    limit_gradients,
    limit_variances,
    make_optimiser,
    set_rate,
)
from spnrefine.train.recipe import Recipe

LOST_STEPS = 20
"""A run ends when this many steps between two reports had no finite loss."""


@dataclass(frozen=True)
class Budget:
    """How long a run lasts: ``steps``, or ``minutes`` of training; exactly one of them is given."""

    steps: int | None = None
    minutes: float | None = None

    def progress(self, step: int, seconds: float) -> float:
        """Return the share of the budget that is used up, from 0 to 1."""
        spent = step / self.steps if self.steps is not None else seconds / (60 * (self.minutes or 0) + 1e-9)
        return min(1.0, spent)


class Trainer:
    """A network in training, with all that changes from step to step."""

    def __init__(self, model: SPN, batches: Batches, recipe: Recipe, *, continued: bool, bfloat16: bool) -> None:
        device = batches.store.device
        model.add_auxiliary()
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        limit_variances(self.model)
        self.model.train()
        if continued and recipe.frozen_norms_continued:
            for module in self.model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        self.average = MovingAverage(self.model)
        self.optimiser = make_optimiser(self.model, self.model.guidance.encoder, recipe)
        self.batches, self.recipe, self.bfloat16 = batches, recipe, bfloat16
        self.peak = recipe.learning_rate_continued if continued else recipe.learning_rate
        self.step, self.patches, self.seconds = 0, 0, 0.0
        self.loss = torch.zeros((), device=device)  # sum since the last report, of the steps that had a finite one
        self.lost = torch.zeros((), device=device)  # number of the others

    @property
    def device(self) -> torch.device:
        return self.batches.store.device

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    @torch.no_grad()
    def refine(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Return the averaged network's probabilities."""
        with self.autocast():
            return self.average.model(image, coarse).float().sigmoid()

    def advance(self, budget: Budget) -> None:
        """Make one step; the host waits for nothing."""
        began = time.perf_counter()
        share = budget.progress(self.step, self.seconds)
        count, side = self.recipe.batches[self.step % len(self.recipe.batches)]
        if self.device.type == "cpu":
            count = max(1, count // self.recipe.cpu_scale)
        rate = learning_rate(self.peak, self.step, share, self.recipe)
        set_rate(self.optimiser, rate)
        self._learn(self.batches.draw(count, side, self.refine))
        self.average.update(
            self.model, average_decay(self.step, budget.progress(self.step + 1, self.seconds), self.recipe)
        )
        self.step += 1
        self.patches += count
        self.seconds += time.perf_counter() - began

    def _learn(self, batch: Batch) -> None:
        with self.autocast():
            logits, head = self.model(batch.image, batch.coarse, auxiliary=True)
        loss = refinement_loss(logits, batch.truth, batch.valid)
        total = loss + self.recipe.auxiliary_weight * auxiliary_loss(head, batch.truth, batch.valid)
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        norm = limit_gradients(self.model, self.recipe.gradient_norm)
        self.optimiser.step()
        fine = torch.isfinite(norm) & torch.isfinite(loss.detach())
        self.loss += torch.where(fine, loss.detach(), 0)
        self.lost += (~fine).float()

    def check(self) -> float:
        """Return the mean loss since the last call (the host waits here); raise where training has broken down."""
        loss, lost = self.loss.item(), self.lost.item()
        weights = torch.stack([value.abs().max() for value in self.average.model.parameters()])
        if lost >= LOST_STEPS or not torch.isfinite(weights).all():
            raise SpnRefineError(
                f"Training broke down near step {self.step}: the loss is no number any more. Lower the learning rate "
                "(--set learning_rate=...) and start again, or resume from the last checkpoint."
            )
        self.loss.zero_()
        self.lost.zero_()
        return loss

    def result(self) -> SPN:
        """Return the averaged network without its auxiliary head, on the CPU, fit for a weights file."""
        network = SPN(self.model.config)
        network.load_state_dict(
            {key: value for key, value in self.average.model.state_dict().items() if key in network.state_dict()}
        )
        limit_variances(network)
        return network.eval()

    def state(self) -> dict[str, Any]:
        """Return all that changes from step to step, as tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": random_states(self.batches),
            "counts": {"step": self.step, "patches": self.patches, "seconds": self.seconds},
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        set_random_states(self.batches, state["random"])
        for name, value in state["counts"].items():
            setattr(self, name, value)
