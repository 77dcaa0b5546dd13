"""The propagation operator for NumPy arrays on all cores, compiled by Numba; imports no torch."""

import os
import threading

import numpy as np

from spnrefine.errors import SpnRefineError
from spnrefine.ops import cpu_channels_last
from spnrefine.ops.cpu_channels_last import TILE_LINES
from spnrefine.ops.cpu_plan import plan
from spnrefine.ops.cpu_simd import LANES
from spnrefine.ops.cpu_threads import Team, available_cores
from spnrefine.ops.directions import Direction

_FLOORS = {"bounded": 1.0, "unit": 0.0, None: float("inf")}
"""Taps are divided by the sum of their sizes where that is above this."""

_local = threading.local()
_team = Team(int(os.environ.get("NUMBA_NUM_THREADS", 0)) or available_cores())


def set_num_threads(threads: int) -> None:
    """Run later calls on up to ``threads`` threads; at first on ``NUMBA_NUM_THREADS``, or else on all cores."""
    if threads < 1:
        raise SpnRefineError(f"the number of threads was {threads}: expected at least 1.")
    _team.size = threads


def get_num_threads() -> int:
    """How many threads a call may use."""
    return _team.size


def forward(
    x: np.ndarray, guidance: np.ndarray, directions: tuple[Direction, ...], normalise: str | None, *, save: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Scan ``x`` in each of ``directions`` and keep the elementwise maximum.

    Parameters
    ----------
    x : (N, C, H, W) float32 or float64 array, any range.
    guidance : (N, D, T, G, H, W) array of the dtype of ``x``, raw; T = 3 or 1 taps, G = C or 1.
    directions : the D directions.
    normalise : ``bounded``, ``unit`` or None.
    save : whether :func:`backward` will be called.

    Returns
    -------
    The result, like ``x`` in shape and dtype, and what backward needs, as bytes (empty without ``save``).
    """
    batch, channels, height, width = x.shape
    _, _, taps, group, _, _ = guidance.shape
    saved = np.empty(len(directions) * x.nbytes + x.size if save else 0, np.uint8)
    out = np.empty((batch, height, width, channels), x.dtype)
    schedule = plan(x.shape, directions, _team.size, channels if group < channels else LANES, False)
    arguments = (
        schedule,
        (height, width, channels, len(directions), taps, group),
        x.dtype.type(_FLOORS[normalise]),
        True if group < channels else None,
        _channels_last(x),
        _channels_last(guidance),
        out.reshape(-1),
        _line(x, len(directions)),
        _states_and_winner(saved, x) if save else None,
    )
    _team.run(cpu_channels_last.forward, arguments, len(schedule.tasks))
    return out.transpose(0, 3, 1, 2), saved


def backward(
    grad: np.ndarray,
    x: np.ndarray,
    guidance: np.ndarray,
    saved: np.ndarray,
    directions: tuple[Direction, ...],
    normalise: str | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of ``x`` and ``guidance``, given ``grad``, that of the result."""
    batch, channels, height, width = x.shape
    _, _, taps, group, _, _ = guidance.shape
    dx = np.empty((batch, height, width, channels), x.dtype)
    dguidance = np.empty((batch, height, width, len(directions), taps, group), x.dtype)
    schedule = plan(x.shape, directions, _team.size, channels if group < channels else LANES, True)
    arguments = (
        schedule,
        (height, width, channels, len(directions), taps, group),
        x.dtype.type(_FLOORS[normalise]),
        True if group < channels else None,
        _channels_last(grad),
        _channels_last(x),
        _channels_last(guidance),
        _line(x, len(directions)),
        _states_and_winner(saved, x),
        dx.reshape(-1),
        dguidance.reshape(-1),
    )
    _team.run(cpu_channels_last.backward, arguments, len(schedule.tasks))
    return dx.transpose(0, 3, 1, 2), dguidance.transpose(0, 3, 4, 5, 1, 2)


def _channels_last(array: np.ndarray) -> np.ndarray:
    """Flatten an (N, ..., H, W) array to one dimension in the order (N, H, W, ...), without a copy if it can be."""
    order = (0, array.ndim - 2, array.ndim - 1, *range(1, array.ndim - 2))
    return np.ascontiguousarray(array.transpose(order)).reshape(-1)


def _states_and_winner(saved: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """View the bytes that are saved as the states of every direction and the direction that won, a byte each."""
    return saved[: -x.size].view(x.dtype), saved[-x.size :]


def _line(x: np.ndarray, directions: int) -> np.ndarray:
    """Scratch for a line of every image and direction, kept for the calling thread's next call."""
    batch, channels, height, width = x.shape
    size = batch * directions * (max(height, width) + 2 * TILE_LINES) * -(-channels // LANES) * LANES
    scratch = getattr(_local, "scratch", None)
    if scratch is None or scratch.nbytes < size * x.itemsize:
        scratch = _local.scratch = np.empty(size * x.itemsize, np.uint8)
    return scratch[: size * x.itemsize].view(x.dtype)
