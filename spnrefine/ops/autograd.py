"""The propagation operator for tensors: arguments checked, a backend chosen, autograd and torch.compile told of it."""

import importlib
from collections.abc import Sequence
from types import ModuleType

import torch
from torch import Tensor

from spnrefine.errors import BackendError, ShapeError, SpnRefineError
from spnrefine.ops import reference
from spnrefine.ops.directions import ALL_DIRECTIONS, Direction, check_normalise
from spnrefine.ops.layouts import empty_like, laid_out_like

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def scan(
    x: Tensor,
    guidance: Tensor,
    direction: Direction,
    *,
    normalise: str | None = "bounded",
    backend: str = "auto",
) -> Tensor:
    """Run the linear recurrence over ``x`` in one direction.

    For LEFT_TO_RIGHT, with gates a, b, c of the pixel in row k and column t::

        h[k,t] = (1 - a - b - c) x[k,t] + a h[k-1,t-1] + b h[k,t-1] + c h[k+1,t-1]

    Parameters
    ----------
    x : (N, C, H, W) float tensor, any range.
    guidance : (N, T, G, H, W) float tensor, raw; T taps (3: before, centre, after; 1: centre), G = C or 1. Before and
        after are the rows above and below in horizontal scans, the columns left and right in vertical ones. A tap whose
        source lies outside the image counts as 0.
    direction : which way to run.
    normalise : how taps become gates: ``bounded`` divides them by max(1, sum of |taps|), ``unit`` by the sum, None
        takes them as they are. The gates' sizes then sum to at most 1, except with None.
    backend : ``auto``, ``reference``, ``cpu`` or ``cuda``, see :func:`available_backends`.

    Returns
    -------
    (N, C, H, W) tensor, dtype and device of ``x``; channels_last if ``x`` is.

    Raises
    ------
    ShapeError
        Naming both shapes.
    BackendError
        Naming the backends that are available.

    Notes
    -----
    Liu et al., "Learning Affinity via Spatial Propagation Networks", NIPS 2017, eq. 1 and 10. Accumulates in float32
    (float64 for float64 input). Double backward needs ``backend="reference"``.

    Examples
    --------
    >>> import torch
    >>> from spnrefine.ops import Direction, scan
    >>> x = torch.tensor([1.0, 0.0, 0.0, 0.0]).reshape(1, 1, 1, 4)
    >>> half = torch.full((1, 1, 1, 1, 4), 0.5)  # one tap: half of each pixel comes from the one before
    >>> scan(x, half, Direction.LEFT_TO_RIGHT).flatten().tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    try:
        direction = Direction(direction)
    except ValueError:
        names = ", ".join(way.name for way in Direction)
        raise SpnRefineError(f"direction was {direction!r}: expected a Direction, one of {names}.") from None
    _check_tensors(x, guidance, "(N, T, G, H, W)")
    return _apply(x, guidance.unsqueeze(1), (direction,), normalise, backend)


def propagate(x: Tensor, guidance: Tensor, *, normalise: str | None = "bounded", backend: str = "auto") -> Tensor:
    """Scan ``x`` in four directions and keep the elementwise maximum.

    Where directions tie, the first in the order of :class:`Direction` takes the gradient.

    Parameters
    ----------
    x : (N, C, H, W) float tensor, any range.
    guidance : (N, 4, T, G, H, W) float tensor, raw; directions in the order of :class:`Direction`, T taps (1 or 3),
        G = C or 1. Both memory layouts a convolution gives, contiguous and channels_last, are read as they are.
    normalise, backend : as for :func:`scan`.

    Returns
    -------
    (N, C, H, W) tensor, dtype and device of ``x``; channels_last if ``x`` is.

    Raises
    ------
    ShapeError
        Naming both shapes.
    BackendError
        Naming the backends that are available.

    Notes
    -----
    Liu et al., NIPS 2017, eq. 10 and Theorem 2. See :func:`scan`.

    Examples
    --------
    >>> import torch
    >>> from spnrefine.ops import propagate
    >>> x = torch.rand(1, 2, 6, 7)
    >>> guidance = torch.randn(1, 4, 3, 2, 6, 7, requires_grad=True)
    >>> h = propagate(x, guidance)
    >>> h.shape
    torch.Size([1, 2, 6, 7])
    >>> h.sum().backward()
    >>> guidance.grad.shape == guidance.shape
    True
    """
    _check_tensors(x, guidance, "(N, 4, T, G, H, W)")
    return _apply(x, guidance, ALL_DIRECTIONS, normalise, backend)


def available_backends() -> tuple[str, ...]:
    """Name the backends that can run here: ``reference`` and ``cpu`` always, ``cuda`` with a device and Numba CUDA.

    Examples
    --------
    >>> from spnrefine.ops import available_backends
    >>> available_backends()[:2]
    ('reference', 'cpu')
    """
    return ("reference", "cpu", "cuda") if _cuda() else ("reference", "cpu")


def _apply(
    x: Tensor, guidance: Tensor, directions: tuple[Direction, ...], normalise: str | None, backend: str
) -> Tensor:
    check_normalise(normalise)
    backend = _choose(backend, x.device.type)
    if backend == "reference":
        return reference.propagate(x, guidance, directions=directions, normalise=normalise).to(x.dtype)
    save = torch.is_grad_enabled() and (x.requires_grad or guidance.requires_grad)
    out, _ = _forward(x, guidance, [int(direction) for direction in directions], normalise, backend, save)
    return out


def _check_tensors(x: Tensor, guidance: Tensor, expected: str) -> None:
    axes = expected.count(",") + 1
    given = f"x was {tuple(x.shape)} and guidance {tuple(guidance.shape)}"
    if x.ndim != 4 or guidance.ndim != axes:
        raise ShapeError(f"{given}: expected (N, C, H, W) and {expected}.")
    if axes == 6 and guidance.shape[1] != len(ALL_DIRECTIONS):
        raise ShapeError(f"{given}: expected 4 directions on the second axis of guidance.")
    taps, group, height, width = guidance.shape[-4:]
    if (guidance.shape[0], height, width) != (x.shape[0], *x.shape[2:]):
        raise ShapeError(f"{given}: expected the same N, H and W in both.")
    if taps not in (1, 3):
        raise ShapeError(f"{given}: expected 1 or 3 taps in guidance, not {taps}.")
    if group not in (1, x.shape[1]):
        raise ShapeError(f"{given}: expected gates for 1 channel or all {x.shape[1]}, not {group}.")
    if 0 in x.shape:
        raise ShapeError(f"{given}: expected at least one image, channel, row and column.")
    if x.dtype not in _DTYPES or guidance.dtype not in _DTYPES:
        raise ShapeError(f"x was {x.dtype} and guidance {guidance.dtype}: expected floating point numbers.")
    if x.device != guidance.device:
        raise BackendError(f"x was on {x.device} and guidance on {guidance.device}: expected one device.")


def _choose(backend: str, device: str) -> str:
    """The backend for tensors on a kind of device."""
    available = available_backends()
    if backend == "auto":
        return device if device in available else "reference"
    if backend not in available:
        raise BackendError(f"backend was {backend!r}: expected auto, {', '.join(available)}, which are available here.")
    if backend not in ("reference", device):
        raise BackendError(
            f"backend {backend!r} was asked for tensors on {device}: move the tensors, or choose auto or reference "
            f"(available here are {', '.join(available)})."
        )
    return backend


def _cuda() -> ModuleType | None:
    """The CUDA backend where it can run."""
    if not torch.cuda.is_available():
        return None
    try:
        module = importlib.import_module("spnrefine.ops.cuda.tensors")
    except ImportError:
        return None
    return module if module.is_available() else None


def _module(backend: str) -> ModuleType:
    """Import the module of a compiled backend: ``forward`` and ``backward`` of tensors."""
    return importlib.import_module({"cpu": "spnrefine.ops.cpu.tensors", "cuda": "spnrefine.ops.cuda.tensors"}[backend])


@torch.library.custom_op("spnrefine::propagate", mutates_args=())
def _forward(
    x: Tensor, guidance: Tensor, directions: Sequence[int], normalise: str | None, backend: str, save: bool
) -> tuple[Tensor, Tensor]:
    ways = tuple(Direction(direction) for direction in directions)
    out, saved = _module(backend).forward(x, guidance, ways, normalise, save=save)
    return laid_out_like(x, out), saved


@_forward.register_fake
def _(x, guidance, directions, normalise, backend, save):
    dtype = reference.accumulation_dtype(x, guidance)
    if backend == "cuda":
        size = torch.library.get_ctx().new_dynamic_size() if save else 0
        return empty_like(x), x.new_empty(size, dtype=dtype)
    size = x.numel() * (len(directions) * dtype.itemsize + 1) if save else 0
    return empty_like(x), x.new_empty(size, dtype=torch.uint8)


@torch.library.custom_op("spnrefine::propagate_backward", mutates_args=())
def _backward(
    grad: Tensor,
    x: Tensor,
    guidance: Tensor,
    saved: Tensor,
    directions: Sequence[int],
    normalise: str | None,
    backend: str,
) -> tuple[Tensor, Tensor]:
    ways = tuple(Direction(direction) for direction in directions)
    dx, dguidance = _module(backend).backward(grad, x, guidance, saved, ways, normalise)
    return laid_out_like(x, dx), laid_out_like(guidance, dguidance)


@_backward.register_fake
def _(grad, x, guidance, saved, directions, normalise, backend):
    return empty_like(x), empty_like(guidance)


def _setup_forward(ctx, inputs, output) -> None:
    x, guidance, *ctx.settings, _ = inputs
    ctx.save_for_backward(x, guidance, output[1])
    ctx.set_materialize_grads(False)


def _differentiate_forward(ctx, grad: Tensor | None, _saved: Tensor | None):
    if grad is None:
        return (None,) * 6
    return (*_backward(grad, *ctx.saved_tensors, *ctx.settings), None, None, None, None)


def _refuse_double_backward(ctx, *grads):
    raise BackendError("Double backward was asked of a compiled backend: use backend='reference' for it.")


torch.library.register_autograd("spnrefine::propagate", _differentiate_forward, setup_context=_setup_forward)
torch.library.register_autograd("spnrefine::propagate_backward", _refuse_double_backward)
