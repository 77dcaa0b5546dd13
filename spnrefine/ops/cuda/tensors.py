"""The propagation operator on CUDA devices, on torch's memory, stream and device.

One launch scans in all directions, a second one merges them. Imports nothing of CUDA's until it is used.
"""

import functools
import importlib.util
from collections.abc import Sequence

import torch
from torch import Tensor

from spnrefine.ops.cuda import launching
from spnrefine.ops.cuda.compiling import units_for
from spnrefine.ops.cuda.plan import Operands, Plan, backward_plan, forward_plan
from spnrefine.ops.directions import Direction
from spnrefine.ops.reference import accumulation_dtype


@functools.cache
def why_not() -> str | None:
    """Say in a few words why kernels cannot run here, or None if they can; never raises."""
    try:
        if not torch.cuda.is_available():
            return "torch finds no CUDA device"
        if importlib.util.find_spec("cuda.bindings") is None:
            return "the package cuda-bindings is missing (install the extra 'cuda')"
    except (ImportError, RuntimeError, ValueError) as error:
        return str(error) or "CUDA is not installed"
    return None


def is_available() -> bool:
    """Say whether torch has a CUDA device and the extra ``cuda`` is installed; never raises."""
    return why_not() is None


def prepare(device: torch.device, dtype: torch.dtype, *, training: bool) -> None:
    """Compile and load all that propagating tensors of ``dtype`` takes on a device, so that no call waits for it.

    Raises
    ------
    BackendError
        The compiler is missing, or the driver is too old for what it made.
    """
    index = torch.cuda.current_device() if device.index is None else device.index
    launching.load(units_for(dtype, dtype, training=training), index)


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
    out : (N, C, H, W) tensor, dtype of ``x``; channels_last where guidance is, else contiguous.
    saved : flat tensor for :func:`backward`: every direction's scan, then which of them was the maximum; empty
        unless ``save``.
    """
    directions = tuple(directions)
    x, guidance = _within_reach(x), _within_reach(guidance)
    real = accumulation_dtype(x, guidance)
    if x.numel() == 0:
        return torch.empty_like(x), x.new_empty(0, dtype=real)
    plan = forward_plan(_operands(x, guidance, directions, normalise), save)
    out = _result(x, plan)
    scans = len(directions) * x.numel()
    # scans, then a byte a pixel
    saved = x.new_empty(scans + -(-x.numel() // real.itemsize) if save else 0, dtype=real)
    h = saved if save else out if plan.merging is None else x.new_empty(scans)
    _scan(plan, x, real, x.data_ptr(), guidance.data_ptr(), h.data_ptr())
    if plan.merging is not None:
        choice = saved.data_ptr() + scans * real.itemsize if save else 0
        launching.launch(plan.merging, x.device, h.data_ptr(), out.data_ptr(), choice)
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
    directions = tuple(directions)
    x, guidance, grad = _within_reach(x), _within_reach(guidance), _within_reach(grad.to(x.dtype))
    real = accumulation_dtype(x, guidance)
    if x.numel() == 0:
        return torch.empty_like(x), torch.zeros_like(guidance)
    shared_gates = guidance.shape[3] == 1 and x.shape[1] > 1
    dguidance = _per_channel(x, guidance, real) if shared_gates else torch.empty_like(guidance)
    operands = _operands(x, guidance, directions, normalise)
    plan = backward_plan(operands, grad.stride(), dguidance.stride(), shared_gates)
    dx = _result(x, plan)
    scans = len(directions) * x.numel()
    parts = x.new_empty(scans, dtype=real)
    _scan(
        plan, x, real, x.data_ptr(), guidance.data_ptr(), grad.data_ptr(), saved.data_ptr(),
        saved.data_ptr() + scans * real.itemsize, parts.data_ptr(), dguidance.data_ptr(),
    )  # fmt: skip
    assert plan.merging is not None
    launching.launch(plan.merging, x.device, parts.data_ptr(), dx.data_ptr())
    if shared_gates:
        dguidance = dguidance.sum(3, keepdim=True).to(guidance.dtype)
    return dx, dguidance


def _operands(x: Tensor, guidance: Tensor, directions: tuple[Direction, ...], normalise: str | None) -> Operands:
    return Operands(
        x.shape, x.stride(), guidance.shape, guidance.stride(), x.dtype, guidance.dtype, directions, normalise
    )


def _within_reach(tensor: Tensor) -> Tensor:
    """Copy a tensor only where its rows or columns lie too far apart for the kernels' 32-bit steps."""
    row, column = tensor.stride()[-2:]
    return tensor if row < 1 << 24 and column < 1 << 24 else tensor.contiguous()


def _result(x: Tensor, plan: Plan) -> Tensor:
    """An empty tensor of the shape and type of ``x``, in the order that the kernels write."""
    return torch.empty_like(x, memory_format=torch.channels_last if plan.channels_last else torch.contiguous_format)


def _per_channel(x: Tensor, guidance: Tensor, real: torch.dtype) -> Tensor:
    """Room for a gradient of shared gates for each channel, which are then added up in a fixed order."""
    n, directions, taps = guidance.shape[:3]
    return x.new_empty((n, directions, taps, *x.shape[1:]), dtype=real)


def _scan(plan: Plan, x: Tensor, real: torch.dtype, *pointers: int) -> None:
    """Launch the scans, each with room for the last line of the one before and for its own."""
    if not plan.carry:
        launching.launch(plan.scans[0], x.device, *pointers, 0, 0)
        return
    carry = x.new_empty((2, plan.carry), dtype=real)
    rooms, last = [each.data_ptr() for each in carry], len(plan.scans) - 1
    for i, scan in enumerate(plan.scans):
        launching.launch(scan, x.device, *pointers, rooms[1 - i % 2] if i else 0, rooms[i % 2] if i < last else 0)
