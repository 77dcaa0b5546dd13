"""The network on the CPU without torch: ONNX Runtime first, then Numba for gates, propagation and decoder.

Importing torch takes longer than refining a photograph, so nothing here does. What ONNX Runtime runs is exported by
``python -m spnrefine.model.export`` and holds the network's structure only; the numbers come from the weights file, so
that any weights of the same configuration run.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from spnrefine.errors import WeightsError, in_words
from spnrefine.model import kernel_weights
from spnrefine.model.config import DETAIL_FULL, Config, SegmenterConfig
from spnrefine.model.kernel_weights import FEATURES
from spnrefine.model.weights import WeightsInfo, check_output
from spnrefine.ops.directions import ALL_DIRECTIONS

EXPORTED = Path(__file__).parent / "exported"
BEGIN, SEGMENT = EXPORTED / "begin.onnx", EXPORTED / "segment.onnx"
BEGIN_TOLD = EXPORTED / "begin_told.onnx"
"""Of a network that is told how far off the mask's edge may be: it has one input more."""
SMALLEST = 32  # side of what the exported network puts out at least
ERRORS_ONLY = 3  # ONNX Runtime's log level


class Kernels(NamedTuple):
    """What Numba compiles."""

    gates: Callable
    propagate: Callable
    decode: Callable


class NetworkOnCPU:
    """The network of a weights file whose configuration :func:`is_exported`, on ``threads`` threads a call.

    Raises
    ------
    WeightsError
        The tensors are not those of the network.
    """

    def __init__(self, info: WeightsInfo, state: dict[str, NDArray[np.float32]], threads: int):
        assert isinstance(info.config, Config)
        self.config, self._threads = info.config, threads
        channels = self.config.channels
        parts = {key: key.startswith("decode.") + 2 * key.startswith("guidance.gates.") for key in state}
        begin, decoder, gates = ({key: state[key] for key in state if parts[key] == part} for part in range(3))
        try:
            self._decoder = kernel_weights.decoder(decoder, channels + DETAIL_FULL + self.config.classes)
            self._gates = kernel_weights.gates(gates, len(ALL_DIRECTIONS) * self.config.taps * channels)
            background = ThreadPoolExecutor(1)
            self._kernels = background.submit(self._load_kernels)
            background.shutdown(wait=False)
            self._begin = session(BEGIN_TOLD if self.config.knows_off else BEGIN, begin, threads)
        except Exception as error:  # whichever of its own types ONNX Runtime raises
            if in_words(error):
                raise
            raise WeightsError(f"{info.path} does not fit its network ({error}): name other weights.") from None

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32], off: float = 0.0) -> NDArray[np.float32]:
        """Refine a coarse mask (H, W), float32 in 0..1, guided by an image (H, W, 3), uint8 RGB, any H and W.

        ``off`` is what the network is told of the mask, see :func:`spnrefine.model.off.coded`; 0: nothing.
        """
        height, width = coarse.shape
        inputs = {"image": image[None], "coarse": coarse[None, None]}
        if self.config.knows_off:
            inputs["off"] = np.full((1, 1, 1, 1), off, np.float32)
        begun = self._begin.run(None, inputs)
        return self._finish(self._kernels.result(), *begun)[:height, :width]

    def _finish(
        self,
        kernels: Kernels,
        features: NDArray[np.float32],
        state: NDArray[np.float32],
        detail: NDArray[np.float32],
        mask: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Do what follows the exported network, which puts out these arguments for an image padded to (H, W).

        Features (1, F, H / 2, W / 2), detail (1, D, H, W) and mask (1, 1, H, W) lie in planes, the state
        (1, H / 2, W / 2, C) channels last.
        """
        taps = kernels.gates(features[0], self._gates, self._threads)
        guidance = taps.reshape(*state.shape[:3], len(ALL_DIRECTIONS), self.config.taps, self.config.channels)
        guidance, state = guidance.transpose(0, 3, 4, 5, 1, 2), state.transpose(0, 3, 1, 2)
        for _ in range(self.config.rounds):
            state, _ = kernels.propagate(state, guidance, ALL_DIRECTIONS, "bounded", save=False, threads=self._threads)
        check_output(state)  # the decoder's bounds would hide it
        return kernels.decode(state[0].transpose(1, 2, 0), detail[0], mask[0], self._decoder, self._threads)

    def _load_kernels(self) -> Kernels:
        """Import Numba and load its kernels, which takes longer than all else: begun early, in the background."""
        from spnrefine.model.decoder_on_cpu import decode
        from spnrefine.model.gates_on_cpu import gates
        from spnrefine.ops.cpu.scans import forward

        kernels = Kernels(gates, forward, decode)
        side = SMALLEST // 2
        shapes = (FEATURES, side, side), (side, side, self.config.channels), (DETAIL_FULL, SMALLEST, SMALLEST)
        arguments = [np.zeros((1, *shape), np.float32) for shape in (*shapes, (1, SMALLEST, SMALLEST))]
        self._finish(kernels, *arguments)
        return kernels


class SegmenterOnCPU:
    """The network of a weights file that makes the mask of an object and whose configuration is exported.

    Raises
    ------
    WeightsError
        The tensors are not those of the network.
    """

    def __init__(self, info: WeightsInfo, state: dict[str, NDArray[np.float32]], threads: int):
        assert isinstance(info.config, SegmenterConfig)
        self.config = info.config
        try:
            self._segment = session(SEGMENT, state, threads)
        except Exception as error:  # whichever of its own types ONNX Runtime raises
            if in_words(error):
                raise
            raise WeightsError(f"{info.path} does not fit its network ({error}): name other weights.") from None

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities (H / 8, W / 8) of the object in an image (H, W, 3), uint8 RGB, sides of 32 n."""
        (probability,) = self._segment.run(None, {"image": image[None]})
        check_output(probability)
        return probability[0, 0]


def is_exported_segmenter(config: object) -> bool:
    """Tell whether the exported network that makes masks is of this configuration; its side does not matter."""
    default = SegmenterConfig()
    return isinstance(config, SegmenterConfig) and replace(config, side=default.side) == default


def is_exported(config: object) -> bool:
    """Tell whether the exported network is of this configuration; rounds and working side do not matter.

    Nor does whether it is told how far off a mask's edge may be: both are exported.
    """
    default = Config()
    return isinstance(config, Config) and default == replace(
        config, rounds=default.rounds, working_side=default.working_side, knows_off=default.knows_off
    )


def session(path: Path, state: dict[str, NDArray[np.float32]], threads: int) -> onnxruntime.InferenceSession:
    """Have ONNX Runtime load an exported network with the tensors that it goes by names for."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = threads
    # its threads may wait busily for each other, but not on while the propagation runs
    options.add_session_config_entry("session.force_spinning_stop", "1")
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in state.values()]
    options.add_external_initializers([*state], values)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
