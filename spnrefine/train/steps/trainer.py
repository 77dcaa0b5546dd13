"""A network in training: one step of it, and everything that changes from step to step."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from spnrefine.errors import SpnRefineError
from spnrefine.model.spn import SPN
from spnrefine.train.lessons.lesson import Lesson
from spnrefine.train.recipe import Recipe
from spnrefine.train.steps.capture import Captured
from spnrefine.train.steps.drawing import Ahead, Drawing, InTurn
from spnrefine.train.steps.execution import Execution
from spnrefine.train.steps.optimiser import (
    MovingAverage,
    average_decay,
    freeze,
    learning_rate,
    limit_gradients,
    limit_variances,
    load_optimiser,
    make_optimiser,
    set_rate,
)

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
    """A network in training, with all that changes from step to step.

    ``continued``: from weights of this very network; ``bfloat16``: under autocast; ``execution``: None, all in turn.
    """

    def __init__(
        self,
        model: nn.Module,
        lesson: Lesson,
        recipe: Recipe,
        *,
        continued: bool,
        bfloat16: bool,
        execution: Execution | None = None,
    ) -> None:
        device = lesson.device
        model.train()
        lesson.prepare(model, continued=continued)
        freeze(model, recipe)
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        limit_variances(self.model)
        self.average = MovingAverage(self.model)
        self.optimiser = make_optimiser(self.model, recipe)
        self.lesson, self.recipe, self.bfloat16 = lesson, recipe, bfloat16
        self.peak = recipe.learning_rate_continued if continued else recipe.learning_rate
        self.step, self.patches, self.seconds = 0, 0, 0.0
        self.loss = torch.zeros((), device=device)  # sum since the last report, of the steps that had a finite one
        self.lost = torch.zeros((), device=device)  # number of the others
        execution = execution or Execution()
        self.drawing: Drawing = (Ahead if execution.ahead else InTurn)(lesson, self.infer)
        self.learn: Callable[[Any], int] = self._learn
        if execution.captured and lesson.capturable:
            self.learn = self._captured()

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.lesson.device.type, torch.bfloat16, enabled=self.bfloat16)

    @torch.no_grad()
    def infer(self, *inputs: Tensor) -> Tensor:
        """Return the averaged network's logits."""
        with self.autocast():
            return self.average.model(*inputs).float()

    def refine(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Return the averaged network's probabilities, of one that refines the mask of an object."""
        return self.infer(image, coarse).sigmoid()

    def warm_up(self) -> None:
        """Compile and capture for every size of patches, on a GPU; nothing changes but the time of the first steps."""
        if self.lesson.device.type == "cuda" and any(isinstance(module, SPN) for module in self.model.modules()):
            from spnrefine.ops.cuda import tensors

            tensors.prepare(self.lesson.device, torch.bfloat16 if self.bfloat16 else torch.float32, training=True)
        if not isinstance(self.learn, Captured):
            return
        state = self.lesson.state()
        for step in range(self.lesson.turns):
            self.learn.prepare(self.lesson.draw(step, self.infer))
        self.lesson.set_state(state)

    def advance(self, budget: Budget) -> None:
        """Make one step; the host waits for nothing."""
        began = time.perf_counter()
        share = budget.progress(self.step, self.seconds)
        set_rate(self.optimiser, learning_rate(self.peak, self.step, share, self.recipe))
        patches = self.learn(self.drawing.take(self.step))
        self.drawing.ready_for(self.step + 1)
        self.average.update(
            self.model, average_decay(self.step, budget.progress(self.step + 1, self.seconds), self.recipe)
        )
        self.step += 1
        self.patches += patches
        self.seconds += time.perf_counter() - began

    def _learn(self, drawn: Any) -> int:
        """Go downhill on what was drawn; return the number of patches."""
        with self.autocast():
            lost = self.lesson.loss(self.model, drawn)
        self.optimiser.zero_grad(set_to_none=True)
        lost.total.backward()
        norm = limit_gradients(self.model, self.recipe.gradient_norm)
        self.optimiser.step()
        loss = lost.reported.detach()
        fine = torch.isfinite(norm) & torch.isfinite(loss)
        self.loss += torch.where(fine, loss, 0)
        self.lost += (~fine).float()
        return lost.patches

    def _captured(self) -> Captured:
        return Captured(self._learn, self._held)

    def _held(self) -> dict[str, Tensor]:
        """Return by name all tensors that :meth:`_learn` changes."""
        moments = {
            f"{number} {name}": tensor
            for number, values in enumerate(self.optimiser.state.values())
            for name, tensor in values.items()
        }
        return self.model.state_dict() | moments | {"loss": self.loss, "lost": self.lost}

    def check(self) -> float:
        """Return the mean loss since the last call (the host waits here); raise where training has broken down."""
        loss, lost = self.loss.item(), self.lost.item()
        weights = torch.stack([value.abs().max() for value in self.average.model.parameters()])
        if lost >= LOST_STEPS or not torch.isfinite(weights).all():
            raise SpnRefineError(
                f"Training broke down near step {self.step}, the loss is no number any more: lower the learning rate "
                "(--set learning_rate=...) and start again, or resume from the last checkpoint."
            )
        self.loss.zero_()
        self.lost.zero_()
        return loss

    def result(self) -> Any:
        """Return the averaged network without its auxiliary head, on the CPU, fit for a weights file."""
        network = type(self.model)(self.model.config)
        wanted = network.state_dict()
        network.load_state_dict({key: value for key, value in self.average.model.state_dict().items() if key in wanted})
        limit_variances(network)
        return network.eval()

    def state(self) -> dict[str, Any]:
        """Return all that changes from step to step, as tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "lesson": self.drawing.state(),
            "counts": {"step": self.step, "patches": self.patches, "seconds": self.seconds},
        }

    def set_state(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        load_optimiser(self.optimiser, state["optimiser"])
        self.lesson.set_state(state["lesson"])
        self.drawing.forget()
        self.learn = self._captured() if isinstance(self.learn, Captured) else self.learn  # the moments moved in memory
        for name, value in state["counts"].items():
            setattr(self, name, value)
