"""A training step as a CUDA graph, one for each size of patches."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

from spnrefine.model.cuda_graphs import Record, Recorder

Held = Callable[[], dict[str, Tensor]]
"""Returns by name all tensors that a step changes in place and that outlive it."""


@dataclass(frozen=True)
class Graph:
    """A captured call: what to copy into, what to replay, and what the call returned."""

    inputs: list[Tensor]
    replay: Callable[[], None]
    result: int


class Captured:
    """A step that is captured for each new shape of what it is given, and replayed from then on.

    Parameters
    ----------
    step : works on tensors of one CUDA device and returns a plain number that follows from their shapes. It must not
        ask the host for anything else, and change nothing that outlives it but what ``held`` lists.
    held : what appears in it during the first call, such as an optimiser's averages, has to begin at zero.
    record : captures; None: a :class:`~spnrefine.model.cuda_graphs.Recorder`.
    """

    def __init__(self, step: Callable[[Any], int], held: Held, record: Record | None = None) -> None:
        self._step, self._held, self._record = step, held, record or Recorder()
        self._graphs: dict[tuple[Any, ...], Graph] = {}

    def __call__(self, drawn: Any) -> int:
        graph = self.prepare(drawn)
        torch._foreach_copy_(graph.inputs, tensors_of(drawn))
        graph.replay()
        return graph.result

    def prepare(self, drawn: Any) -> Graph:
        """Return the graph of a call with tensors like ``drawn``, captured if there is none yet."""
        key = tuple((tensor.shape, tensor.stride(), tensor.dtype) for tensor in tensors_of(drawn))
        if key not in self._graphs:
            self._graphs[key] = self._capture(drawn)
        return self._graphs[key]

    def _capture(self, drawn: Any) -> Graph:
        """Capture a call, and leave all that ``held`` lists as it was."""
        still = with_tensors(drawn, [tensor.clone() for tensor in tensors_of(drawn)])
        before = {name: tensor.clone() for name, tensor in self._held().items()}
        replay, result = self._record(lambda: self._step(still), tensors_of(drawn)[0].device)
        put_back(self._held(), before)
        return Graph(tensors_of(still), replay, result)


@torch.no_grad()
def put_back(held: dict[str, Tensor], before: dict[str, Tensor]) -> None:
    """Fill the tensors of ``held`` with what they were ``before``, those that are new with zeros."""
    for name, tensor in held.items():
        tensor.copy_(before[name]) if name in before else tensor.zero_()


def tensors_of(drawn: Any) -> list[Tensor]:
    """Return the tensors of a dataclass or tuple of them, in order."""
    values = [getattr(drawn, field.name) for field in fields(drawn)] if is_dataclass(drawn) else drawn
    return [value for value in values if isinstance(value, Tensor)]


def with_tensors(drawn: Any, tensors: list[Tensor]) -> Any:
    """Return ``drawn`` with other tensors in place of its own, in order."""
    others = iter(tensors)
    if is_dataclass(drawn) and not isinstance(drawn, type):
        known = {field.name: getattr(drawn, field.name) for field in fields(drawn)}
        return replace(drawn, **{name: next(others) for name, value in known.items() if isinstance(value, Tensor)})
    return type(drawn)(next(others) if isinstance(value, Tensor) else value for value in drawn)
