"""The network on the CPU without torch: ONNX Runtime first, then kernels for gates, propagation and decoder.

Importing torch takes longer than refining a photograph, so nothing here does. What ONNX Runtime runs is exported by
``python -m spnrefine.model.export`` and holds the network's structure only; the numbers come from the weights file, so
that any weights of the same configuration run.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spnrefine.model import kernel_weights
from spnrefine.model.config import DETAIL_FULL, Config, SegmenterConfig
from spnrefine.model.propagation_on_cpu import Background, PropagationOnCPU
from spnrefine.model.sessions import EXPORTED, RunOptions, fitting, release_memory, run, session
from spnrefine.model.weights import WeightsInfo, check_output
from spnrefine.simd import memory

STRIDE = 32  # sides are padded to a multiple of it
SEGMENT = EXPORTED / "segment.onnx"
BEGIN = {
    Config(): EXPORTED / "begin.onnx",
    Config(knows_off=1): EXPORTED / "begin_told.onnx",
    Config(bottleneck=1): EXPORTED / "begin_bottleneck.onnx",
    Config(knows_off=1, bottleneck=1): EXPORTED / "begin_told_bottleneck.onnx",
}
"""By configuration, as :attr:`~spnrefine.model.config.Config.built`."""


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
        parts = {key: key.startswith("decode.") + 2 * key.startswith("guidance.gates.") for key in state}
        begin, decoder, gates = ({key: state[key] for key in state if parts[key] == part} for part in range(3))
        with fitting(info), Background() as background:
            self._weights = kernel_weights.decoder(decoder, self.config.channels + DETAIL_FULL + self.config.classes)
            self._propagate = PropagationOnCPU(self.config, gates, threads, background)
            self._decode = background.load(_load_decoder)
            self._begin = session(BEGIN[self.config.built], begin, threads, info.sha256)
        # most commands call but once: what that call took, the gates can have
        self._after_first: RunOptions | None = release_memory()

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32], off: float = 0.0) -> NDArray[np.float32]:
        """Refine a coarse mask (H, W), float32 in 0..1, guided by an image (H, W, 3), uint8 RGB, any H and W.

        ``off`` is what the network is told of the mask, see :func:`spnrefine.model.off.coded`; 0: nothing.
        """
        height, width = coarse.shape
        options, self._after_first = self._after_first, None
        features, state, detail, mask = run(
            self._begin, self._inputs(image, coarse, off), self._outputs(height, width), options
        )
        (spread,) = self._propagate(features, state)
        return self._decode.result()(spread, detail[0], mask[0], self._weights, self._threads)[:height, :width]

    def release(self) -> None:
        """Give back the memory that ONNX Runtime and the kernels keep for the next call."""
        memory.release()
        smallest = np.zeros((STRIDE, STRIDE, 3), np.uint8), np.zeros((STRIDE, STRIDE), np.float32)
        self._begin.run(None, self._inputs(*smallest, 0.0), release_memory())

    def _inputs(self, image: NDArray[np.uint8], coarse: NDArray[np.float32], off: float) -> dict[str, NDArray]:
        """Return what the exported network takes."""
        inputs: dict[str, NDArray] = {"image": image[None], "coarse": coarse[None, None]}
        if self.config.knows_off:
            inputs["off"] = np.full((1, 1, 1, 1), off, np.float32)
        return inputs

    def _outputs(self, height: int, width: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of what it puts out of an image (height, width), of that padded to (H, W).

        Features (1, F, H / 2, W / 2), the state (1, H / 2, W / 2, C), channels last, detail (1, D, H, W) and mask
        (1, 1, H, W).
        """
        full = tuple(side + -side % STRIDE for side in (height, width))
        half = tuple(side // 2 for side in full)
        return {
            "features": (1, kernel_weights.FEATURES, *half),
            "state": (1, *half, self.config.channels),
            "detail": (1, DETAIL_FULL, *full),
            "mask": (1, self.config.classes, *full),
        }


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
        with fitting(info):
            self._segment = session(SEGMENT, state, threads, info.sha256)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities (H / 8, W / 8) of the object in an image (H, W, 3), uint8 RGB, sides of 32 n."""
        (probability,) = self._segment.run(None, {"image": image[None]})
        check_output(probability)
        return probability[0, 0]


def _load_decoder() -> Callable:
    from spnrefine.model.decoder_on_cpu import decode
    from spnrefine.model.routines import routine

    routine("decode")
    return decode


def is_exported_segmenter(config: object) -> bool:
    """Tell whether the exported network that makes masks is of this configuration; its side does not matter."""
    default = SegmenterConfig()
    return isinstance(config, SegmenterConfig) and replace(config, side=default.side) == default


def is_exported(config: object) -> bool:
    """Tell whether a network of this configuration is exported; rounds and working side do not matter."""
    return isinstance(config, Config) and config.built in BEGIN
