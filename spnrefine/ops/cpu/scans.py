"""The propagation operator for NumPy arrays on all cores, compiled by Numba; imports no torch."""

import threading

import numpy as np

from spnrefine.errors import SpnRefineError
from spnrefine.ops.cpu.plan import EDGES, STRIP, TABLES, Plan, plan
from spnrefine.ops.directions import Direction
from spnrefine.simd.lanes import LANES
from spnrefine.simd.memory import aligned, empty
from spnrefine.simd.team import TEAM

_FLOORS = {"bounded": 1.0, "unit": 0.0, None: float("inf")}
"""Taps are divided by the sum of their sizes where that is above this."""

ALONE = 1 << 16
"""Numbers, times directions, below which a call runs on the caller's thread: waking another takes longer."""

_local = threading.local()


def set_num_threads(threads: int) -> None:
    """Run later calls on up to ``threads`` threads; at first on one a core, see :func:`.cores.threads`."""
    if threads < 1:
        raise SpnRefineError(f"The number of threads was {threads}: expected at least 1.")
    TEAM.size = threads


def get_num_threads() -> int:
    """How many threads a call may use."""
    return TEAM.size


def forward(
    x: np.ndarray,
    guidance: np.ndarray,
    directions: tuple[Direction, ...],
    normalise: str | None,
    *,
    save: bool,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Scan ``x`` in each of ``directions`` and keep the elementwise maximum.

    Parameters
    ----------
    x : (N, C, H, W) float32 or float64 array, any range.
    guidance : (N, D, T, G, H, W) array of the dtype of ``x``, raw; T = 3 or 1 taps, G = C or 1.
    directions : the D directions.
    normalise : ``bounded``, ``unit`` or None.
    save : whether :func:`backward` will be called.
    threads : at most so many; None for those of :func:`set_num_threads`.

    Returns
    -------
    The result, like ``x`` in shape and dtype, and what backward needs, as bytes (empty without ``save``). The result
    lies in memory as the kernel wrote it, see :func:`runs_channels_last`.
    """
    floor = x.dtype.type(_FLOORS[normalise])
    saved = empty((len(directions) * x.nbytes + x.size if save else 0,), np.uint8)
    views = _states_and_winner(saved, x) if save else None
    threads = threads or TEAM.size
    schedule, shape, line = _prepare(x, guidance, directions, threads, backward=False)
    if runs_channels_last(guidance):
        from spnrefine.ops.cpu import channels_last

        shared, partial = _shared(x, guidance), _partial(x)
        x, guidance = _channels_last(x), _channels_last(guidance)
        out = empty(x.shape, x.dtype)
        TEAM.run(
            channels_last.forward,
            (schedule, shape, floor, shared, partial, x.ravel(), guidance.ravel(), out.ravel(), line, views),
            len(schedule.tasks),
            threads,
        )
        return out.transpose(0, 3, 1, 2), saved
    from spnrefine.ops.cpu import planar

    x, guidance = np.ascontiguousarray(x), np.ascontiguousarray(guidance)
    out = empty(x.shape, x.dtype)
    TEAM.run(
        planar.forward,
        (schedule, shape, floor, x.ravel(), guidance.ravel(), out.ravel(), line, views, _strips(x, threads)),
        len(schedule.tasks),
        threads,
    )
    return out, saved


def backward(
    grad: np.ndarray,
    x: np.ndarray,
    guidance: np.ndarray,
    saved: np.ndarray,
    directions: tuple[Direction, ...],
    normalise: str | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of ``x`` and ``guidance``, given ``grad``, that of the result."""
    floor = x.dtype.type(_FLOORS[normalise])
    views = _states_and_winner(saved, x)
    threads = TEAM.size
    schedule, shape, line = _prepare(x, guidance, directions, threads, backward=True)
    if runs_channels_last(guidance):
        from spnrefine.ops.cpu import channels_last_backward

        shared, partial = _shared(x, guidance), _partial(x)
        grad, x, guidance = _channels_last(grad), _channels_last(x), _channels_last(guidance)
        dx, dguidance = empty(x.shape, x.dtype), empty(guidance.shape, x.dtype)
        inputs = grad.ravel(), x.ravel(), guidance.ravel()
        TEAM.run(
            channels_last_backward.backward,
            (schedule, shape, floor, shared, partial, *inputs, line, views, dx.ravel(), dguidance.ravel()),
            len(schedule.tasks),
            threads,
        )
        return dx.transpose(0, 3, 1, 2), dguidance.transpose(0, 3, 4, 5, 1, 2)
    from spnrefine.ops.cpu import planar_backward

    grad, x, guidance = np.ascontiguousarray(grad), np.ascontiguousarray(x), np.ascontiguousarray(guidance)
    dx, dguidance = empty(x.shape, x.dtype), empty(guidance.shape, x.dtype)
    inputs = grad.ravel(), x.ravel(), guidance.ravel()
    TEAM.run(
        planar_backward.backward,
        (schedule, shape, floor, *inputs, line, views, dx.ravel(), dguidance.ravel(), _strips(x, threads)),
        len(schedule.tasks),
        threads,
    )
    return dx, dguidance


def runs_channels_last(guidance: np.ndarray) -> bool:
    """Whether a call with this guidance (N, D, T, G, H, W) runs on channels-last memory.

    Gates are read where they lie, so ``x`` and other arrays are copied if they lie otherwise. Gates shared by all
    channels are copied too if need be: there are few of them.
    """
    return guidance.shape[3] == 1 or (not guidance.flags.c_contiguous and is_channels_last(guidance))


def is_channels_last(array: np.ndarray) -> bool:
    """Whether an (N, ..., H, W) array lies in memory as (N, H, W, ...)."""
    return _channels_last_view(array).flags.c_contiguous


def _prepare(
    x: np.ndarray, guidance: np.ndarray, directions: tuple[Direction, ...], threads: int, *, backward: bool
) -> tuple[Plan, tuple[int, ...], np.ndarray]:
    """The plan of a call, the sizes that its kernel wants, and a line for each image, direction and channel."""
    batch, channels, height, width = x.shape
    taps, group = guidance.shape[2:4]
    lines = batch * len(directions)
    if runs_channels_last(guidance):
        step = LANES if group == channels else channels
        line = lines * (max(height, width) + EDGES) * _rounded(channels)
        shape: tuple[int, ...] = (height, width, channels, len(directions), taps, group)
    else:
        step = 0
        line = lines * channels * _rounded(max(height, width))
        shape = (height, width, channels, len(directions), taps)
    if lines * x[0].size < ALONE:
        threads = 1
    return plan(x.shape, directions, threads, step, backward), shape, _scratch("line", line, x.dtype)


def _shared(x: np.ndarray, guidance: np.ndarray) -> bool | None:
    """Whether channels share gates; None where not, for which a kernel is compiled without what they need."""
    return True if guidance.shape[3] < x.shape[1] else None


def _partial(x: np.ndarray) -> bool | None:
    """Whether the last of a pixel's vectors has fewer channels than lanes; None where not, as above."""
    return True if x.shape[1] % LANES else None


def _strips(x: np.ndarray, threads: int) -> np.ndarray:
    """Scratch for strips of columns, a row for each thread."""
    row = TABLES * STRIP * (_rounded(max(x.shape[2:])) + LANES)
    return _scratch("strips", threads * row, x.dtype).reshape(threads, row)


def _rounded(count: int) -> int:
    return -(-count // LANES) * LANES


def _channels_last(array: np.ndarray) -> np.ndarray:
    """Turn (N, ..., H, W) into contiguous (N, H, W, ...), without a copy if it can be."""
    return np.ascontiguousarray(_channels_last_view(array))


def _channels_last_view(array: np.ndarray) -> np.ndarray:
    last = array.ndim - 1
    return array.transpose(0, last - 1, last, *range(1, last - 1))


def _states_and_winner(saved: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """View the bytes that are saved as the states of every direction and the direction that won, a byte each."""
    return saved[: -x.size].view(x.dtype), saved[-x.size :]


def _scratch(name: str, size: int, dtype: np.dtype) -> np.ndarray:
    """Memory with anything in it, kept for the calling thread's next call."""
    kept = getattr(_local, name, None)
    if kept is None or kept.nbytes < size * dtype.itemsize:
        kept = aligned(size * dtype.itemsize)
        setattr(_local, name, kept)
    return kept[: size * dtype.itemsize].view(dtype)
