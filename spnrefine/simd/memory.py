"""Large arrays whose memory is used again once they are gone.

The system hands out large allocations page by page, as zeros, and takes them back at once: for the gradient of the
gates that costs as much as computing it.
"""

import threading
from math import prod

import numpy as np

from spnrefine.simd.lanes import CACHE_LINE, LANES

LARGE = 1 << 20
"""Bytes from which an array's memory is kept; below, the allocator does well by itself."""

KEPT = 1 << 28
"""Bytes kept at most for later use."""

MOST_TIMES = 4
"""As much as an array needs may be kept memory that it is given."""

_free: list[np.ndarray] = []
_lock = threading.RLock()  # the garbage collector may drop a block while this thread holds it


class _Block:
    """Owns memory for as long as an array, or a tensor made of it, refers to it."""

    def __init__(self, memory: np.ndarray):
        self._memory = memory
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        with _lock:
            _free.append(self._memory)
            while sum(memory.nbytes for memory in _free) > KEPT:
                _free.pop(0)


def empty(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return a new array with anything in it, like :func:`numpy.empty`; a large one begins with a cache line."""
    size = prod(shape) * np.dtype(dtype).itemsize
    if size < LARGE:
        return np.empty(shape, dtype)
    memory = _take(size)
    if memory is None:
        memory = aligned(size)
    return np.asarray(_Block(memory))[:size].view(dtype).reshape(shape)


def scratch(threads: int, size: int, margins: tuple[tuple[int, int, int], ...]) -> np.ndarray:
    """Return what threads work in, (``threads``, ``size``) float32, each from a cache line on, with anything in it.

    ``margins`` name tables in it by where they begin, how many rows they have, and how long these are: the first and
    last ``LANES`` numbers of a row are 0.
    """
    size += -size % LANES
    count = 4 * threads * size
    bytes_ = empty((count,), np.uint8) if count >= LARGE else aligned(count)
    array = bytes_.view(np.float32).reshape(threads, size)
    for begin, rows, length in margins:
        table = array[:, begin : begin + rows * length].reshape(threads, rows, length)
        table[..., :LANES] = table[..., -LANES:] = 0
    return array


def placed(array: np.ndarray) -> np.ndarray:
    """Return a copy of a float32 array that begins with a cache line."""
    copy = aligned(array.nbytes).view(np.float32).reshape(array.shape)
    copy[...] = array
    return copy


def aligned(size: int) -> np.ndarray:
    """Return new memory of ``size`` bytes, with anything in it, that begins with a cache line."""
    memory = np.empty(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size]


def _take(size: int) -> np.ndarray | None:
    """Return kept memory that holds ``size`` bytes, the least that does, and not much more; None where there is none.

    Pictures of many sizes in turn, such as tiles, so share what the largest of them needs.
    """
    with _lock:
        fits = [i for i in reversed(range(len(_free))) if size <= _free[i].nbytes <= MOST_TIMES * size]
        # of several alike the last one back, which may still be in the cache
        return _free.pop(min(fits, key=lambda i: _free[i].nbytes)) if fits else None


def release() -> None:
    """Give back what is kept for later use."""
    with _lock:
        _free.clear()
