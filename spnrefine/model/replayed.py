"""A network on a GPU, told and asked in arrays: sizes that come again are replayed as CUDA graphs."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spnrefine.model.cuda_graphs import Record, Recorder

MOST = 32
"""Graphs kept at once, of the sizes that came last; one needs little but its inputs, as all share one pool.

A longer side of 512 leaves 31 sizes whose sides are multiples of 32.
"""

_ALONE = Lock()
"""A GPU does one thing at a time, and graphs share memory: threads take turns, and read and write files meanwhile."""


class _Graph(NamedTuple):
    inputs: list[Tensor]
    output: Tensor
    replay: Callable[[], None]


class Replayed:
    """Calls ``compute`` with arrays of the host; a size is captured when it comes for the second time.

    A command that refines one small object never captures; a batch, or the tiles of a large object, soon does.

    Parameters
    ----------
    compute : takes tensors of ``device`` and returns one there. It must ask nothing of the host, draw nothing at
        random and change nothing.
    record : captures; None: as CUDA graphs.
    """

    def __init__(self, compute: Callable[..., Tensor], device: torch.device, record: Record | None = None) -> None:
        self._compute, self._device = compute, device
        self._record = record or Recorder(alone=False)
        self._graphs: OrderedDict[tuple[tuple[int, ...], ...], _Graph] = OrderedDict()
        self._seen: set[tuple[tuple[int, ...], ...]] = set()
        self._captures = True

    def __call__(self, *arrays: NDArray) -> NDArray[np.float32]:
        """Return ``compute`` of arrays, whose number and types are always the same."""
        with _ALONE, torch.inference_mode():
            given = [self._staged(array) for array in arrays]
            graph = self._graph(given)
            if graph is None:
                return self._fetched(self._compute(*(each.to(self._device, non_blocking=True) for each in given)))
            for still, each in zip(graph.inputs, given, strict=True):
                still.copy_(each, non_blocking=True)
            graph.replay()
            return self._fetched(graph.output)

    def _graph(self, given: list[Tensor]) -> _Graph | None:
        """Return the graph for inputs of such sizes, if there is one by now."""
        key = tuple(tuple(each.shape) for each in given)
        if key in self._graphs:
            self._graphs.move_to_end(key)
            return self._graphs[key]
        if not self._captures or key not in self._seen:
            self._seen.add(key)
            return None
        inputs = [each.to(self._device, non_blocking=True) for each in given]
        try:
            replay, output = self._record(lambda: self._compute(*inputs), self._device)
        except RuntimeError as error:  # what goes wrong once would go wrong again
            self._captures = False
            why = str(error).strip().partition("\n")[0] or type(error).__name__
            logging.getLogger(__name__).warning("The network runs without CUDA graphs, and slower: %s", why)
            return None
        self._graphs[key] = _Graph(inputs, output, replay)
        if len(self._graphs) > MOST:
            oldest, _ = self._graphs.popitem(last=False)
            self._seen.discard(oldest)
        return self._graphs[key]

    def _staged(self, array: NDArray) -> Tensor:
        """Return an array as a tensor of the host that a GPU can fetch while the host goes on."""
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        return tensor.pin_memory() if self._device.type == "cuda" else tensor

    def _fetched(self, output: Tensor) -> NDArray[np.float32]:
        if self._device.type != "cuda":
            return output.numpy().copy()
        pinned = torch.empty(output.shape, dtype=output.dtype, pin_memory=True)
        pinned.copy_(output, non_blocking=True)
        torch.cuda.current_stream(self._device).synchronize()
        return pinned.numpy().copy()  # pinned memory is scarce: it goes back at once
