"""How long things take, and what the machine could do at best."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

COPY_BYTES = 256 << 20  # far above any cache


def median_seconds(call: Callable[[], object], device: str = "cpu", *, seconds: float = 1.0, least: int = 5) -> float:
    """Time ``call`` again and again for about ``seconds``, at least ``least`` times, and return the median.

    Two calls go before, unmeasured. On a CUDA ``device`` events on its stream are what is timed.
    """
    for _ in range(2):
        call()
    timed = _timed_on_cuda if device.startswith("cuda") else _timed
    times = [timed(call)]
    while len(times) < least or (sum(times) < seconds and len(times) < 1000):
        times.append(timed(call))
    return statistics.median(times)


def copy_bandwidth(device: str = "cpu", threads: int = 1) -> float:
    """Measure bytes read plus bytes written a second when a large array is copied by all ``threads``.

    On the CPU each thread copies its own part; on CUDA it is a copy from device to device.
    """
    if device.startswith("cuda"):
        source = torch.ones(COPY_BYTES, dtype=torch.uint8, device=device)
        target = torch.empty_like(source)
        return 2 * COPY_BYTES / median_seconds(lambda: target.copy_(source), device)
    parts = list(zip(*(np.array_split(np.ones(COPY_BYTES, np.uint8), threads) for _ in range(2)), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        return 2 * COPY_BYTES / median_seconds(lambda: list(pool.map(lambda part: np.copyto(*part), parts)))


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _timed_on_cuda(call: Callable[[], object]) -> float:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000
