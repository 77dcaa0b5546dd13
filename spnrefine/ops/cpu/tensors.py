"""The CPU backend for tensors: dtypes, and memory laid out as the kernels read it."""

import numpy as np
import torch
from torch import Tensor

from spnrefine.ops.cpu import scans
from spnrefine.ops.directions import Direction
from spnrefine.ops.reference import accumulation_dtype


def forward(
    x: Tensor, guidance: Tensor, directions: tuple[Direction, ...], normalise: str | None, *, save: bool
) -> tuple[Tensor, Tensor]:
    """Call :func:`spnrefine.ops.cpu.scans.forward` with tensors of any float dtype and layout."""
    gates, (values,) = _arrays(guidance, x)
    out, saved = scans.forward(values, gates, directions, normalise, save=save)
    return torch.from_numpy(out), torch.from_numpy(saved)


def backward(
    grad: Tensor, x: Tensor, guidance: Tensor, saved: Tensor, directions: tuple[Direction, ...], normalise: str | None
) -> tuple[Tensor, Tensor]:
    """Call :func:`spnrefine.ops.cpu.scans.backward` with tensors of any float dtype and layout."""
    gates, (upstream, values) = _arrays(guidance, grad, x)
    dx, dguidance = scans.backward(upstream, values, gates, saved.numpy(), directions, normalise)
    return torch.from_numpy(dx), torch.from_numpy(dguidance)


def _arrays(guidance: Tensor, *others: Tensor) -> tuple[np.ndarray, list[np.ndarray]]:
    """Turn tensors into arrays that the kernels read without a copy.

    What must be copied torch copies, on all cores. What need not be sees few calls of torch: at small sizes they show.
    """
    dtype = accumulation_dtype(guidance, *others)
    gates = _array(guidance, dtype)
    if not scans.is_channels_last(gates) and not gates.flags.c_contiguous:
        gates = torch.from_numpy(gates).contiguous().numpy()
    arrays = [_array(tensor, dtype) for tensor in others]
    if scans.runs_channels_last(gates):
        for i, array in enumerate(arrays):
            if not scans.is_channels_last(array):
                arrays[i] = torch.from_numpy(array).movedim(1, 3).contiguous().movedim(3, 1).numpy()
    else:
        arrays = [a if a.flags.c_contiguous else torch.from_numpy(a).contiguous().numpy() for a in arrays]
    return gates, arrays


def _array(tensor: Tensor, dtype: torch.dtype) -> np.ndarray:
    return tensor.detach().to(dtype).numpy()
