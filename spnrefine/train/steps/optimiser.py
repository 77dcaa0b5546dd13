"""AdamW's groups, the learning rate over a run, and the moving average of the weights."""

import math
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from spnrefine.model.encoder import Encoder
from spnrefine.train.recipe import Recipe


def freeze(model: nn.Module, recipe: Recipe) -> None:
    """Let encoders stay as they are where their rate is zero, so that nothing is run backward through them."""
    for module in model.modules():
        if isinstance(module, Encoder) and not recipe.encoder_rate:
            module.requires_grad_(False)


def make_optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW over what is not frozen; its groups carry ``rate``, a multiple of that of :func:`set_rate`.

    On a GPU the rates are tensors there, so that a captured step goes on reading them.
    """
    device = next(model.parameters()).device
    encoders = [module for module in model.modules() if isinstance(module, Encoder)]
    in_encoder = {id(parameter) for encoder in encoders for parameter in encoder.parameters()}
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        groups.setdefault((id(parameter) in in_encoder, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": torch.zeros((), device=device) if device.type == "cuda" else 0.0,
                "rate": recipe.encoder_rate if slow else 1.0,
                "weight_decay": recipe.weight_decay if kernel else 0.0,
            }
            for (slow, kernel), parameters in groups.items()
        ],
        fused=True,
        capturable=device.type == "cuda",
    )


def learning_rate(peak: float, step: int, progress: float, recipe: Recipe) -> float:
    """Return the rate at ``step``, after the share ``progress`` of the budget: linear warm-up, then cosine to zero."""
    warm = min(1.0, max((step + 1) / max(1, recipe.warmup_steps), progress / recipe.warmup_share))
    return peak * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate * group["rate"])
        else:
            group["lr"] = rate * group["rate"]


def load_optimiser(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Go on from a state; rates stay where they were."""
    rates = [group["lr"] for group in optimiser.param_groups]
    optimiser.load_state_dict(state)
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate


def limit_gradients(model: nn.Module, longest: float) -> Tensor:
    """Shorten the gradient to ``longest`` and return its norm; one that is not finite becomes zero.

    It all stays on the device: the host does not wait to learn the norm.
    """
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    flat = torch.cat([_in_memory_order(gradient) for gradient in gradients])  # one long tensor: a few launches, not 400
    norm = flat.norm()
    finite = torch.isfinite(norm)
    flat = torch.where(finite, flat * (longest / (norm + 1e-6)).clamp(max=1.0), 0.0)
    parts = flat.split([gradient.numel() for gradient in gradients])
    torch._foreach_copy_([_in_memory_order(gradient) for gradient in gradients], parts)
    return norm


def _in_memory_order(tensor: Tensor) -> Tensor:
    """View a tensor that has no gaps as the line of numbers that it is in memory."""
    return tensor.as_strided((tensor.numel(),), (1,))


@torch.no_grad()
def limit_variances(model: nn.Module) -> None:
    """Bring batch-norm variances into the range of float16, in which weights files are written; the function stays.

    A larger variance would be read back as infinite and silence its channel. Lowering it is made up for by a smaller
    weight: zero for one that is infinite already, so that such a channel stays silent until training wakes it.
    """
    most = torch.finfo(torch.float16).max
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_var is not None:
            module.weight.mul_((most / module.running_var.clamp(min=most)).sqrt())
            module.running_var.clamp_(max=most)


class MovingAverage:
    """An exponential moving average of a network's weights and buffers, itself a network ready to use."""

    def __init__(self, model: nn.Module) -> None:
        self.model = deepcopy(model).eval().requires_grad_(False)
        self._pairs: tuple[nn.Module, list[Tensor], list[Tensor]] | None = None

    @torch.no_grad()
    def update(self, model: nn.Module, decay: float) -> None:
        """Move towards ``model``, whose tensors must stay where they are in memory from the first call on."""
        if self._pairs is None or self._pairs[0] is not model:  # listing them takes longer than a step has
            ours, theirs = self.model.state_dict(), model.state_dict()
            floating = [key for key, value in ours.items() if value.is_floating_point()]
            self._pairs = model, [ours[key] for key in floating], [theirs[key] for key in floating]
        torch._foreach_lerp_(self._pairs[1], self._pairs[2], 1 - decay)


def average_decay(step: int, progress: float, recipe: Recipe) -> float:
    """Return the average's decay: shorter at the start, and never longer than its share of the run."""
    steps = (step + 1) / max(progress, 1e-9)
    length = min(1 / (1 - recipe.average), max(1.0, recipe.average_share * steps))
    return min(1 - 1 / length, (1 + step) / (10 + step))
