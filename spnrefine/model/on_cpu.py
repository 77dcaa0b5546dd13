"""The network on the CPU without torch: two exported halves in ONNX Runtime, and between them Numba's propagation.

Importing torch takes longer than refining a photograph, so nothing here does. The halves hold the network's structure
only; the numbers come from the weights file, so that any weights of the same configuration run.
``python -m spnrefine.model.export`` makes them.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from spnrefine.errors import WeightsError
from spnrefine.model.config import Config, SegmenterConfig
from spnrefine.model.weights import WeightsInfo
from spnrefine.ops.directions import ALL_DIRECTIONS

EXPORTED = Path(__file__).parent / "exported"
BEGIN, FINISH, SEGMENT = EXPORTED / "begin.onnx", EXPORTED / "finish.onnx", EXPORTED / "segment.onnx"
ERRORS_ONLY = 3  # ONNX Runtime's log level


class NetworkOnCPU:
    """The network of a weights file whose configuration :func:`is_exported`, on ``threads`` threads a call.

    Raises
    ------
    WeightsError: the tensors are not those of the network.
    """

    def __init__(self, info: WeightsInfo, state: dict[str, NDArray[np.float32]], threads: int):
        assert isinstance(info.config, Config)
        self.config, self._threads = info.config, threads
        background = ThreadPoolExecutor(1)
        self._propagation = background.submit(self._load_propagation)
        background.shutdown(wait=False)
        last = {key: value for key, value in state.items() if key.startswith("decode.")}
        try:
            self._begin = _session(BEGIN, {key: value for key, value in state.items() if key not in last}, threads)
            self._finish = _session(FINISH, last, threads)
        except Exception as error:  # whichever of its own types ONNX Runtime raises
            raise WeightsError(f"{info.path} does not fit its network ({error}): name other weights.") from None

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """Refine a coarse mask (H, W), float32 in 0..1, guided by an image (H, W, 3), uint8 RGB, any H and W."""
        height, width = coarse.shape
        taps, state, detail, mask = self._begin.run(None, {"image": image[None], "coarse": coarse[None, None]})
        state = self._propagate(self._propagation.result(), state, taps)
        (probability,) = self._finish.run(None, {"state": state, "detail": detail, "mask": mask})
        return probability[0, 0, :height, :width]

    def _propagate(self, cpu: ModuleType, state: NDArray[np.float32], taps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Propagate a state (1, h, w, C) under taps (h * w, 4 * T * C), both channels last."""
        guidance = taps.reshape(*state.shape[:3], len(ALL_DIRECTIONS), self.config.taps, self.config.channels)
        guidance, state = guidance.transpose(0, 3, 4, 5, 1, 2), state.transpose(0, 3, 1, 2)
        for _ in range(self.config.rounds):
            state, _ = cpu.forward(state, guidance, ALL_DIRECTIONS, "bounded", save=False, threads=self._threads)
        return state.transpose(0, 2, 3, 1)

    def _load_propagation(self) -> ModuleType:
        """Import Numba and load its kernels, which takes longer than all else: begun early, in the background."""
        from spnrefine.ops import cpu

        channels, taps = self.config.channels, len(ALL_DIRECTIONS) * self.config.taps * self.config.channels
        self._propagate(cpu, np.zeros((1, 2, 2, channels), np.float32), np.zeros((4, taps), np.float32))
        return cpu


class SegmenterOnCPU:
    """The network of a weights file that makes the mask of an object and whose configuration is exported.

    Raises
    ------
    WeightsError: the tensors are not those of the network.
    """

    def __init__(self, info: WeightsInfo, state: dict[str, NDArray[np.float32]], threads: int):
        assert isinstance(info.config, SegmenterConfig)
        self.config = info.config
        try:
            self._segment = _session(SEGMENT, state, threads)
        except Exception as error:  # whichever of its own types ONNX Runtime raises
            raise WeightsError(f"{info.path} does not fit its network ({error}): name other weights.") from None

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities (H / 8, W / 8) of the object in an image (H, W, 3), uint8 RGB, sides of 32 n."""
        (probability,) = self._segment.run(None, {"image": image[None]})
        return probability[0, 0]


def is_exported_segmenter(config: object) -> bool:
    """Tell whether the exported network that makes masks is of this configuration; its side does not matter."""
    default = SegmenterConfig()
    return isinstance(config, SegmenterConfig) and replace(config, side=default.side) == default


def is_exported(config: object) -> bool:
    """Tell whether the exported network is of this configuration; rounds and working side do not matter."""
    default = Config()
    return isinstance(config, Config) and default == replace(
        config, rounds=default.rounds, working_side=default.working_side
    )


def _session(path: Path, state: dict[str, NDArray[np.float32]], threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    options.intra_op_num_threads = threads
    # its threads may wait busily for each other, but not on while the propagation runs
    options.add_session_config_entry("session.force_spinning_stop", "1")
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in state.values()]
    options.add_external_initializers([*state], values)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
