"""The propagation operator on CUDA devices, by Numba kernels on torch's memory, stream and device.

One launch scans in all directions, a second one merges them. Imports neither Numba nor CUDA until it is used.
"""

import importlib.util
from collections.abc import Sequence

import torch
from torch import Tensor

from spnrefine.ops.directions import Direction
from spnrefine.ops.reference import accumulation_dtype

_NORMALISE = {None: 0, "bounded": 1, "unit": 2}


def is_available() -> bool:
    """Say whether torch has a CUDA device and the extra ``cuda`` is installed; never raises."""
    try:
        return torch.cuda.is_available() and all(map(importlib.util.find_spec, ("numba_cuda", "cuda.core")))
    except (ImportError, RuntimeError, ValueError):
        return False


def forward(
    x: Tensor, guidance: Tensor, directions: Sequence[Direction], normalise: str | None, *, save: bool
) -> tuple[Tensor, Tensor]:
    """Scan ``x`` in every direction and keep the elementwise maximum.

    Parameters
    ----------
    x : (N, C, H, W) CUDA tensor of a float type, any strides.
    guidance : (N, D, T, G, H, W) tensor, raw; D ``directions``, T taps (1 or 3), G = C or 1; any strides.
    normalise : ``bounded``, ``unit`` or None.
    save : keep what :func:`backward` needs.

    Returns
    -------
    out : (N, C, H, W) contiguous tensor, dtype of ``x``.
    saved : flat tensor for :func:`backward`: every direction's scan, then which of them was the maximum; empty
        unless ``save``.
    """
    from spnrefine.ops.cuda.forward import forward_kernel
    from spnrefine.ops.cuda.launching import launch, shared_limit
    from spnrefine.ops.cuda.merging import merge_kernel
    from spnrefine.ops.cuda.plan import FORWARD, FORWARD_FLOAT64, MERGE_THREADS, plan
    from spnrefine.ops.cuda.storage import STORAGE

    directions = tuple(directions)
    x, guidance = _within_reach(x), _within_reach(guidance)
    real = accumulation_dtype(x, guidance)
    wide = real == torch.float64
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    saved = torch.empty(_saved_size(x, directions, real) if save else 0, dtype=real, device=x.device)
    if x.numel() == 0:
        return out, saved
    merging = len(directions) > 1 or save
    h = saved if save else x.new_empty(x.numel() * len(directions)) if merging else out
    taps = guidance.shape[2]
    layout = plan(
        x, guidance, directions, tiles=FORWARD_FLOAT64 if wide else FORWARD, planes=taps + 2, rows=0,
        itemsize=real.itemsize, shared_limit=shared_limit(x.device.index),
    )  # fmt: skip
    x_type, g_type, h_type = STORAGE[x.dtype], STORAGE[guidance.dtype], STORAGE[h.dtype]
    launch(
        forward_kernel,
        (x_type, g_type, h_type, taps, layout.depth, layout.threads, layout.chunked, wide),
        blocks=_blocks(x, directions, layout.per_block),
        threads=layout.threads,
        shared=layout.shared,
        tensors=(x, guidance, h, _carry(x, directions, layout.chunked, 1, real)),
        numbers=(x.stride(), _gate_strides(guidance), *_sizes(x, directions, layout, normalise)),
    )
    if merging:
        # without `save` nobody reads the choice: any memory will do
        choice = _choice(saved, x, directions) if save else h
        launch(
            merge_kernel,
            (h_type, x_type, save, wide),
            blocks=_merge_blocks(x, MERGE_THREADS),
            threads=MERGE_THREADS,
            tensors=(h, out, choice),
            numbers=(x[0].numel(), len(directions)),
        )
    return out, saved


def backward(
    grad: Tensor,
    x: Tensor,
    guidance: Tensor,
    saved: Tensor,
    directions: Sequence[Direction],
    normalise: str | None,
) -> tuple[Tensor, Tensor]:
    """Return the gradients of ``x`` and of the raw ``guidance``, given that of :func:`forward`'s ``out``.

    ``grad`` is read only, at any strides. Runs are repeatable to the bit: there are no atomic additions.
    """
    from spnrefine.ops.cuda.backward import backward_kernel
    from spnrefine.ops.cuda.launching import launch, shared_limit
    from spnrefine.ops.cuda.merging import sum_kernel
    from spnrefine.ops.cuda.plan import BACKWARD, BACKWARD_FLOAT64, MERGE_THREADS, plan
    from spnrefine.ops.cuda.storage import STORAGE

    directions = tuple(directions)
    real = accumulation_dtype(x, guidance)
    wide = real == torch.float64
    x, guidance, grad = _within_reach(x), _within_reach(guidance), _within_reach(grad.to(x.dtype))
    n, c, height, width = x.shape
    taps, gate_channels = guidance.shape[2:4]
    shared_gates = gate_channels == 1 and c > 1
    dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    if x.numel() == 0:
        return dx, torch.zeros_like(guidance)
    if shared_gates:  # a gradient for each channel, added up in a fixed order below
        dguidance = x.new_empty((n, len(directions), taps, c, height, width), dtype=real)
    else:
        dguidance = torch.empty_like(guidance)
    parts = x.new_empty(x.numel() * len(directions), dtype=real)
    layout = plan(
        x, guidance, directions, tiles=BACKWARD_FLOAT64 if wide else BACKWARD, planes=taps + 4, rows=4,
        itemsize=real.itemsize, shared_limit=shared_limit(x.device.index),
    )  # fmt: skip
    x_type, g_type, dg_type = STORAGE[x.dtype], STORAGE[guidance.dtype], STORAGE[dguidance.dtype]
    launch(
        backward_kernel,
        (x_type, g_type, dg_type, taps, layout.depth, layout.threads, layout.chunked, wide),
        blocks=_blocks(x, directions, layout.per_block),
        threads=layout.threads,
        shared=layout.shared,
        tensors=(
            x, guidance, grad, saved, _choice(saved, x, directions), parts, dguidance,
            _carry(x, directions, layout.chunked, taps, real),
        ),
        numbers=(
            x.stride(), _gate_strides(guidance), grad.stride(), dguidance.stride(),
            *_sizes(x, directions, layout, normalise),
        ),
    )  # fmt: skip
    launch(
        sum_kernel,
        (x_type, wide),
        blocks=_merge_blocks(x, MERGE_THREADS),
        threads=MERGE_THREADS,
        tensors=(parts, dx),
        numbers=(x[0].numel(), len(directions)),
    )
    if shared_gates:
        dguidance = dguidance.sum(3, keepdim=True).to(guidance.dtype)
    return dx, dguidance


def _within_reach(tensor: Tensor) -> Tensor:
    """Copy a tensor only where its rows or columns lie too far apart for the kernels' 32-bit steps."""
    return tensor if max(tensor.stride()[-2:]) < 1 << 24 else tensor.contiguous()


def _saved_size(x: Tensor, directions: tuple[Direction, ...], real: torch.dtype) -> int:
    return len(directions) * x.numel() + -(-x.numel() // real.itemsize)  # the scans, then a byte a pixel


def _choice(saved: Tensor, x: Tensor, directions: tuple[Direction, ...]) -> Tensor:
    return saved[len(directions) * x.numel() :].view(torch.uint8)


def _blocks(x: Tensor, directions: tuple[Direction, ...], per_block: int) -> int:
    return len(directions) * x.shape[0] * x.shape[1] // per_block


def _merge_blocks(x: Tensor, threads: int) -> int:
    return x.shape[0] * -(-x[0].numel() // threads)


def _gate_strides(guidance: Tensor) -> tuple[int, ...]:
    n, direction, tap, channel, row, column = guidance.stride()
    return n, direction, tap, channel if guidance.shape[3] > 1 else 0, row, column


def _carry(x: Tensor, directions: tuple[Direction, ...], chunked: bool, numbers: int, real: torch.dtype) -> Tensor:
    """Room for the state of two lines of every scan, should a line be longer than a block."""
    length = max(x.shape[2:])
    return x.new_empty(_blocks(x, directions, 1) * 2 * length * numbers if chunked else 1, dtype=real)


def _sizes(x: Tensor, directions: tuple[Direction, ...], layout, normalise: str | None) -> tuple[int, ...]:
    n, c, height, width = x.shape
    code = sum(direction << (2 * i) for i, direction in enumerate(directions))
    return n, c, height, width, layout.per_block, int(code), _NORMALISE[normalise], int(layout.w_contiguous)
