"""The propagation operator for tensors: arguments checked, a backend chosen."""

from collections.abc import Sequence

import torch
from torch import Tensor

from spnrefine.errors import BackendError, ShapeError, SpnRefineError
from spnrefine.ops import operators, reference
from spnrefine.ops.directions import ALL_DIRECTIONS, Direction, check_normalise

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
    """Name the backends that can run here: ``reference`` and ``cpu`` always, ``cuda`` with a device and its extra.

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
    if not _is_plain(x, guidance):
        out, _ = operators.propagate(x, guidance, list(map(int, directions)), normalise, backend, save)
    elif save:
        out = operators.Propagate.apply(x, guidance, directions, normalise, backend)
    else:
        out, _ = operators.run_forward(x, guidance, directions, normalise, backend, save=False)
    return out


def _is_plain(*tensors: Tensor) -> bool:
    """Whether nobody looks on (torch.compile, torch.func, a tensor's subclass): the custom operators cost 0.1 ms."""
    return (
        not torch.compiler.is_compiling()
        and all(type(tensor) in (Tensor, torch.nn.Parameter) for tensor in tensors)
        and not torch._C._are_functorch_transforms_active()
        and not torch._C._len_torch_dispatch_stack()
    )


def _check_tensors(x: Tensor, guidance: Tensor, expected: str) -> None:
    problem = _problem_of_shapes(x.shape, guidance.shape, expected)
    if problem:
        raise ShapeError(f"x was {tuple(x.shape)} and guidance {tuple(guidance.shape)}: {problem}.")
    if x.dtype not in _DTYPES or guidance.dtype not in _DTYPES:
        raise ShapeError(f"x was {x.dtype} and guidance {guidance.dtype}: expected floating point numbers.")
    if x.device != guidance.device:
        raise BackendError(f"x was on {x.device} and guidance on {guidance.device}: expected one device.")


def _problem_of_shapes(x: Sequence[int], guidance: Sequence[int], expected: str) -> str | None:
    axes = expected.count(",") + 1
    if len(x) != 4 or len(guidance) != axes:
        return f"expected (N, C, H, W) and {expected}"
    if axes == 6 and guidance[1] != len(ALL_DIRECTIONS):
        return "expected 4 directions on the second axis of guidance"
    taps, group, height, width = guidance[-4:]
    if (guidance[0], height, width) != (x[0], x[2], x[3]):
        return "expected the same N, H and W in both"
    if taps not in (1, 3):
        return f"expected 1 or 3 taps in guidance, not {taps}"
    if group not in (1, x[1]):
        return f"expected gates for 1 channel or all {x[1]}, not {group}"
    if 0 in x:
        return "expected at least one image, channel, row and column"
    return None


def _choose(backend: str, device: str) -> str:
    """The backend for tensors on a kind of device."""
    if backend in ("auto", device) and _has_kernels(device):
        return device
    if backend == "auto":
        return "reference"
    available = available_backends()
    if backend not in available:
        raise BackendError(f"backend was {backend!r}: expected auto, {', '.join(available)}, which are available here.")
    if backend not in ("reference", device):
        raise BackendError(
            f"backend {backend!r} was asked for tensors on {device}: move the tensors, or choose auto or reference "
            f"(available here are {', '.join(available)})."
        )
    return backend


def _has_kernels(device: str) -> bool:
    """Whether tensors that lie on a kind of device have a compiled backend; asked for every call."""
    return device == "cpu" or (device == "cuda" and operators.module("cuda").is_available())


def _cuda() -> bool:
    """Whether the CUDA backend can run."""
    return torch.cuda.is_available() and operators.module("cuda").why_not() is None
