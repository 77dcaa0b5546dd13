"""Calls captured as CUDA graphs: hundreds of small launches become one, so that the host no longer sets the pace."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch

WARM_UPS = 3
"""Calls before a capture: libraries choose their algorithms in the first ones, which a capture does not allow."""

Result = TypeVar("Result")


class Record(Protocol):
    """Takes a call and the device it works on; calls it a few times; returns what repeats it, and the call's result."""

    def __call__(self, call: Callable[[], Result], device: torch.device, /) -> tuple[Callable[[], None], Result]: ...


class Recorder:
    """Captures calls as CUDA graphs in one pool of memory: no two of them run at the same time.

    ``alone``: nothing else of the process may use CUDA in a way that a capture forbids; otherwise other threads may.
    """

    def __init__(self, *, alone: bool = True) -> None:
        self._pool: Any = None
        self._mode = "global" if alone else "thread_local"

    def __call__(self, call: Callable[[], Result], device: torch.device) -> tuple[Callable[[], None], Result]:
        here, aside = torch.cuda.current_stream(device), torch.cuda.Stream(device)
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            for _ in range(WARM_UPS):
                call()
        here.wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        # torch's own stream for captures is of whichever device was first captured on
        with torch.cuda.graph(graph, pool=self._pool, stream=aside, capture_error_mode=self._mode):
            result = call()
        return graph.replay, result
