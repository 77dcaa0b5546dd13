"""The compiled backends as operators of torch: autograd, torch.compile and torch.export told of them."""

import functools
import importlib
from collections.abc import Sequence
from types import ModuleType

import torch
from torch import Tensor

from spnrefine.errors import BackendError
from spnrefine.ops import reference
from spnrefine.ops.directions import Direction
from spnrefine.ops.layouts import empty_like, laid_out_like


@functools.cache
def module(backend: str) -> ModuleType:
    """Import the module of a compiled backend: ``forward`` and ``backward`` of tensors."""
    return importlib.import_module({"cpu": "spnrefine.ops.cpu.tensors", "cuda": "spnrefine.ops.cuda.tensors"}[backend])


def run_forward(
    x: Tensor, guidance: Tensor, directions: tuple[Direction, ...], normalise: str | None, backend: str, *, save: bool
) -> tuple[Tensor, Tensor]:
    out, saved = module(backend).forward(x, guidance, directions, normalise, save=save)
    return laid_out_like(x, out), saved


def run_backward(
    grad: Tensor,
    x: Tensor,
    guidance: Tensor,
    saved: Tensor,
    directions: tuple[Direction, ...],
    normalise: str | None,
    backend: str,
) -> tuple[Tensor, Tensor]:
    dx, dguidance = module(backend).backward(grad, x, guidance, saved, directions, normalise)
    return laid_out_like(x, dx), laid_out_like(guidance, dguidance)


class Propagate(torch.autograd.Function):
    """The operators below without torch's machinery for custom ones."""

    @staticmethod
    def forward(ctx, x, guidance, directions, normalise, backend):
        out, saved = run_forward(x, guidance, directions, normalise, backend, save=True)
        ctx.save_for_backward(x, guidance, saved)
        ctx.set_materialize_grads(False)
        ctx.settings = directions, normalise, backend
        return out

    @staticmethod
    def backward(ctx, grad):
        if grad is None:
            return (None,) * 5
        # where this will be differentiated again, the operator refuses
        run = propagate_backward if torch.is_grad_enabled() else run_backward
        return (*run(grad, *ctx.saved_tensors, *ctx.settings), None, None, None)


@torch.library.custom_op("spnrefine::propagate", mutates_args=())
def propagate(
    x: Tensor, guidance: Tensor, directions: Sequence[int], normalise: str | None, backend: str, save: bool
) -> tuple[Tensor, Tensor]:
    return run_forward(x, guidance, tuple(map(Direction, directions)), normalise, backend, save=save)


@propagate.register_fake
def _(x, guidance, directions, normalise, backend, save):
    dtype = reference.accumulation_dtype(x, guidance)
    if backend == "cuda":
        size = torch.library.get_ctx().new_dynamic_size() if save else 0
        return empty_like(x), x.new_empty(size, dtype=dtype)
    size = x.numel() * (len(directions) * dtype.itemsize + 1) if save else 0
    return empty_like(x), x.new_empty(size, dtype=torch.uint8)


@torch.library.custom_op("spnrefine::propagate_backward", mutates_args=())
def propagate_backward(
    grad: Tensor,
    x: Tensor,
    guidance: Tensor,
    saved: Tensor,
    directions: Sequence[int],
    normalise: str | None,
    backend: str,
) -> tuple[Tensor, Tensor]:
    return run_backward(grad, x, guidance, saved, tuple(map(Direction, directions)), normalise, backend)


@propagate_backward.register_fake
def _(grad, x, guidance, saved, directions, normalise, backend):
    return empty_like(x), empty_like(guidance)


def _setup_forward(ctx, inputs, output) -> None:
    x, guidance, *ctx.settings, _ = inputs
    ctx.save_for_backward(x, guidance, output[1])
    ctx.set_materialize_grads(False)


def _differentiate_forward(ctx, grad: Tensor | None, _saved: Tensor | None):
    if grad is None:
        return (None,) * 6
    return (*propagate_backward(grad, *ctx.saved_tensors, *ctx.settings), None, None, None, None)


def _refuse_double_backward(ctx, *grads):
    raise BackendError("Double backward was asked of a compiled backend: use backend='reference' for it.")


torch.library.register_autograd("spnrefine::propagate", _differentiate_forward, setup_context=_setup_forward)
torch.library.register_autograd("spnrefine::propagate_backward", _refuse_double_backward)
