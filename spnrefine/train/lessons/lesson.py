"""What a network is taught: the trainer knows no more of it than this."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

Infer = Callable[..., Tensor]
"""Runs the averaged network on its inputs and returns its logits, float32, without a gradient."""


class Measure(Protocol):
    """Says how good a network is."""

    def __call__(self, infer: Infer) -> object:
        """Return what can be shown."""

    def fit(self, seconds: float, infer: Infer) -> str | None:
        """Measure on fewer from now on, so that it takes so long at most; say on how many, or None for all."""


class Lost(NamedTuple):
    """The loss of one step: what is lowered, what is reported (its main part), and over how many patches."""

    total: Tensor
    reported: Tensor
    patches: int


class Lesson(Protocol):
    """What a network is taught: it draws patches and says how wrong the network is about them.

    ``capturable``: whether :meth:`loss` asks tensors of the device alone, and nothing of the host, so that a CUDA graph
    can hold it. All that is random belongs in :meth:`draw`.
    """

    device: torch.device
    capturable: bool

    @property
    def turns(self) -> int:
        """How many steps it takes to see patches of every size."""

    def prepare(self, model: nn.Module, *, continued: bool) -> None:
        """Fit ``model`` for training: what to freeze, what to add."""

    def draw(self, step: int, infer: Infer) -> Any:
        """Return a step's patches: a dataclass or a tuple of tensors; ``step`` grows by one from where it started."""

    def loss(self, model: nn.Module, drawn: Any) -> Lost:
        """Return the loss on what :meth:`draw` returned; called under autocast."""

    def state(self) -> dict[str, Any]:
        """Return what changes from step to step."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
