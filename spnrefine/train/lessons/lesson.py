"""What a network is taught: the trainer knows no more of it than this."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

Infer = Callable[..., Tensor]
"""Runs the averaged network on its inputs and returns its logits, float32, without a gradient."""


Measure = Callable[[Infer], object]
"""Says how good the network is by now; its result is printed."""


class Lost(NamedTuple):
    """The loss of one step: what is lowered, what is reported (its main part), and over how many patches."""

    total: Tensor
    reported: Tensor
    patches: int


class Lesson(Protocol):
    """What a network is taught: it draws patches and says how wrong the network is about them."""

    device: torch.device

    def prepare(self, model: nn.Module, *, continued: bool) -> None:
        """Fit ``model`` for training: what to freeze, what to add."""

    def loss(self, model: nn.Module, step: int, infer: Infer) -> Lost:
        """Return the loss of a step; called under autocast, with ``step`` growing by one from where it started."""

    def state(self) -> dict[str, Any]:
        """Return what changes from step to step."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
