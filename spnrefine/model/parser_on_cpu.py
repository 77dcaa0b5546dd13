"""The network of label maps on the CPU without torch, as :mod:`spnrefine.model.on_cpu` runs refiners.

ONNX Runtime runs the base and all that comes before the gates, Numba's kernels gates and propagation, and ONNX Runtime
the decoder, which for several classes has no kernel.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import WeightsError, in_words
from spnrefine.model import kernel_weights
from spnrefine.model.config import Config
from spnrefine.model.kernel_weights import FEATURES
from spnrefine.model.on_cpu import EXPORTED, SMALLEST, session
from spnrefine.model.weights import WeightsInfo, check_output
from spnrefine.ops.directions import ALL_DIRECTIONS

PARSE, DECODE = EXPORTED / "parse.onnx", EXPORTED / "decode.onnx"
OF_FACES = Config(channels=32, classes=11)
"""The configuration that is exported."""


class ParserOnCPU:
    """The network of a weights file whose configuration :func:`is_exported_parser`, on ``threads`` threads a call.

    Raises
    ------
    WeightsError
        The tensors are not those of the network.
    """

    def __init__(self, info: WeightsInfo, state: dict[str, NDArray[np.float32]], threads: int):
        assert isinstance(info.config, Config)
        self.config, self._threads = info.config, threads
        prefixes = "spn.decode.", "spn.guidance.gates."
        decoder, gates = ({key: state[key] for key in state if key.startswith(prefix)} for prefix in prefixes)
        rest = {key: value for key, value in state.items() if not key.startswith(prefixes)}
        named = {key.removeprefix("spn."): value for key, value in gates.items()}
        try:
            self._gates = kernel_weights.gates(named, len(ALL_DIRECTIONS) * self.config.taps * self.config.channels)
            background = ThreadPoolExecutor(1)
            self._kernels = background.submit(self._load_kernels)
            background.shutdown(wait=False)
            self._begin, self._decode = session(PARSE, rest, threads), session(DECODE, decoder, threads)
        except Exception as error:  # whichever of its own types ONNX Runtime raises
            if in_words(error):
                raise
            raise WeightsError(f"{info.path} does not fit its network ({error}): name other weights.") from None

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the classes' probabilities (K, H, W) in an image (H, W, 3), uint8 RGB: coarse, and refined."""
        height, width = image.shape[:2]
        coarse, features, state, detail, mask = self._begin.run(None, {"image": image[None]})
        spread = self._spread(*self._kernels.result(), features, state)
        (refined,) = self._decode.run(None, {"state": spread, "detail": detail, "mask": mask})
        check_output(coarse, spread, refined)
        return coarse[0], refined[0, :, :height, :width]

    def _spread(
        self, gates: Callable, propagate: Callable, features: NDArray[np.float32], state: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Propagate a state (1, H / 2, W / 2, C) under gates made of features (1, F, H / 2, W / 2)."""
        taps = gates(features[0], self._gates, self._threads)
        guidance = taps.reshape(*state.shape[:3], len(ALL_DIRECTIONS), self.config.taps, self.config.channels)
        guidance, state = guidance.transpose(0, 3, 4, 5, 1, 2), state.transpose(0, 3, 1, 2)
        for _ in range(self.config.rounds):
            state, _ = propagate(state, guidance, ALL_DIRECTIONS, "bounded", save=False, threads=self._threads)
        return np.ascontiguousarray(state.transpose(0, 2, 3, 1))

    def _load_kernels(self) -> tuple[Callable, Callable]:
        """Import Numba and load its kernels, which takes longer than all else: begun early, in the background."""
        from spnrefine.model.gates_on_cpu import gates
        from spnrefine.ops.cpu.scans import forward

        side = SMALLEST // 2
        features = np.zeros((1, FEATURES, side, side), np.float32)
        self._spread(gates, forward, features, np.zeros((1, side, side, self.config.channels), np.float32))
        return gates, forward


def is_exported_parser(config: object) -> bool:
    """Tell whether the exported network of label maps is of this configuration; rounds and side do not matter."""
    return (
        isinstance(config, Config)
        and replace(config, rounds=OF_FACES.rounds, working_side=OF_FACES.working_side) == OF_FACES
    )
