"""The CPU backend for tensors: dtypes, and memory laid out as the kernels read it."""

import numpy as np
import torch
from torch import Tensor

from spnrefine.ops import cpu
from spnrefine.ops.directions import Direction
from spnrefine.ops.reference import accumulation_dtype


def forward(
    x: Tensor, guidance: Tensor, directions: tuple[Direction, ...], normalise: str | None, *, save: bool
) -> tuple[Tensor, Tensor]:
    """Call :func:`spnrefine.ops.cpu.forward` with tensors of any float dtype and layout."""
    gates, (values,) = _arrays(guidance, x)
    out, saved = cpu.forward(values, gates, directions, normalise, save=save)
    return torch.from_numpy(out), torch.from_numpy(saved)


def backward(
    grad: Tensor, x: Tensor, guidance: Tensor, saved: Tensor, directions: tuple[Direction, ...], normalise: str | None
) -> tuple[Tensor, Tensor]:
    """Call :func:`spnrefine.ops.cpu.backward` with tensors of any float dtype and layout."""
    gates, (upstream, values) = _arrays(guidance, grad, x)
    dx, dguidance = cpu.backward(upstream, values, gates, saved.numpy(), directions, normalise)
    return torch.from_numpy(dx), torch.from_numpy(dguidance)


def _arrays(guidance: Tensor, *others: Tensor) -> tuple[np.ndarray, list[np.ndarray]]:
    """Turn tensors into arrays that the kernels read without a copy; torch copies on all cores, NumPy on one."""
    dtype = accumulation_dtype(guidance, *others)
    guidance = guidance.detach().to(dtype)
    channels_last = guidance.movedim((-2, -1), (1, 2))
    if not channels_last.is_contiguous():
        guidance = guidance.contiguous()
    gates = guidance.numpy()
    tensors = [tensor.detach().to(dtype) for tensor in others]
    if cpu.runs_channels_last(gates):
        return gates, [t.movedim(1, 3).contiguous().movedim(3, 1).numpy() for t in tensors]
    return gates, [t.contiguous().numpy() for t in tensors]
