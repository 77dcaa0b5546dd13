"""What lies between the exported halves of a network on the CPU: gates and propagation, by compiled routines."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from spnrefine.model import kernel_weights
from spnrefine.model.config import Config
from spnrefine.model.weights import check_output
from spnrefine.ops.directions import ALL_DIRECTIONS

T = TypeVar("T")

_LOADING = Lock()  # Numba cannot be imported by two threads at once


class _Kernels(NamedTuple):
    gates: Callable
    propagate: Callable


class PropagationOnCPU:
    """The gates and rounds of a configuration, with the gates' tensors by their names, on ``threads`` threads a call.

    Its kernels load in the background: to compile them takes longer than all else.
    """

    def __init__(self, config: Config, gates: dict[str, NDArray[np.float32]], threads: int, background: "Background"):
        self._config, self._threads = config, threads
        self._gates = kernel_weights.gates(gates, len(ALL_DIRECTIONS), config.taps, config.channels)
        self._kernels = background.load(_load)

    def __call__(self, features: NDArray[np.float32], state: NDArray[np.float32]) -> NDArray[np.float32]:
        """Propagate a state (1, H / 2, W / 2, C) under gates made of features (1, F, H / 2, W / 2): such a state.

        Raises
        ------
        WeightsError
            What comes out is not finite.
        """
        kernels = self._kernels.result()
        gates = kernels.gates(features[0], self._gates, self._threads)
        for _ in range(self._config.rounds):
            state = kernels.propagate(state, gates, self._threads)
        check_output(state)  # a decoder's bounds would hide it
        return state


def _load() -> _Kernels:
    from spnrefine.model.gates_on_cpu import gates
    from spnrefine.model.routines import routine
    from spnrefine.model.walk_on_cpu import propagate

    routine("propagate")
    return _Kernels(gates, propagate)


class Background:
    """A thread of its own, on which kernels are loaded one after another, and which ends with the last of them."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)

    def load(self, what: Callable[[], T]) -> "Future[T]":
        """Load something, after all that was to be loaded before; one network's at a time."""

        def alone() -> T:
            with _LOADING:
                return what()

        return self._thread.submit(alone)

    def __enter__(self) -> "Background":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(wait=False)
