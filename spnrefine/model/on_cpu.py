"""The network on the CPU without torch: kernels down to a quarter of the sides, ONNX Runtime below, and kernels again.

Importing torch takes longer than refining a photograph, so nothing here does. What ONNX Runtime runs is exported by
``python -m spnrefine.model.export`` and holds the network's structure only; the numbers come from the weights file, so
that any weights of the same configuration run.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.model import kernel_weights, layer_weights
from spnrefine.model.config import DETAIL_FULL, Config, SegmenterConfig
from spnrefine.model.propagation_on_cpu import Background, PropagationOnCPU
from spnrefine.model.sessions import EXPORTED, RunOptions, fitting, release_memory, run, session
from spnrefine.model.weights import WeightsInfo, check_output
from spnrefine.simd import memory
from spnrefine.simd.lanes import LANES

RGB = 3
STRIDE = 32  # sides are padded to a multiple of it
SEGMENT = EXPORTED / "segment.onnx"
DEEP = {0: EXPORTED / "deep.onnx", 1: EXPORTED / "deep_bottleneck.onnx"}
"""By ``bottleneck`` of the configuration."""


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
        deep, shallow, joining, decoder, gates = _parted(state)
        with fitting(info), Background() as background:
            self._kernels = background.load(_load_kernels)
            self._shallow = layer_weights.shallow(shallow, RGB + self.config.classes + self.config.knows_off)
            self._joining = layer_weights.joining(joining)
            self._decoder = kernel_weights.decoder(decoder, self.config.channels + DETAIL_FULL + self.config.classes)
            self._propagate = PropagationOnCPU(self.config, gates, threads, background)
            self._deep = session(DEEP[self.config.bottleneck], deep, threads, info.sha256)
        # most commands call but once: what that call took, the gates can have
        self._after_first: RunOptions | None = release_memory()

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32], off: float = 0.0) -> NDArray[np.float32]:
        """Refine a coarse mask (H, W), float32 in 0..1, guided by an image (H, W, 3), uint8 RGB, any H and W.

        ``off`` is what the network is told of the mask, see :func:`spnrefine.model.off.coded`; 0: nothing.
        """
        (height, width), threads, kernels = coarse.shape, self._threads, self._kernels.result()
        options, self._after_first = self._after_first, None
        size = height + -height % STRIDE, width + -width % STRIDE
        told = off if self.config.knows_off else None
        begun = kernels.shallow(image, coarse, told, size, self._shallow, threads)
        (below,) = run(self._deep, {"deep": begun.deep[None]}, self._outputs(size), options)
        features = kernels.join(below[0], begun.at4, begun.at2, self._joining, threads)
        (spread,) = self._propagate(features, begun.state[None])
        refined = kernels.decode(spread, begun.detail, begun.mask, self._decoder, threads)[:height, :width]
        check_output(refined)
        return refined

    def release(self) -> None:
        """Give back the memory that ONNX Runtime and the kernels keep for the next call."""
        memory.release()
        least = STRIDE // 4
        self._deep.run(None, {"deep": np.zeros((1, layer_weights.DEEP, least, least), np.float32)}, release_memory())

    def _outputs(self, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
        """Return the shape of what ONNX Runtime puts out of an image of that size: (1, H / 8, W / 8, C)."""
        return {"below": (1, size[0] // 8, size[1] // 8, self._joining[0].below * LANES)}


class _Kernels(NamedTuple):
    shallow: Callable
    join: Callable
    decode: Callable


def _load_kernels() -> _Kernels:
    from spnrefine.model.decoder_on_cpu import decode
    from spnrefine.model.joining_on_cpu import join
    from spnrefine.model.routines import routine
    from spnrefine.model.shallow_on_cpu import shallow

    routine("shallow")
    return _Kernels(shallow, join, decode)


def _parted(state: dict[str, NDArray[np.float32]]) -> list[dict[str, NDArray[np.float32]]]:
    """Part tensors into those of ONNX Runtime, the shallow layers, the last decoder, the mask's decoder, the gates."""
    starts = (), layer_weights.SHALLOW, layer_weights.JOINING, ("decode.",), ("guidance.gates.",)
    parts: list[dict[str, NDArray[np.float32]]] = [{} for _ in starts]
    for key, value in state.items():
        parts[max(i for i, start in enumerate(starts) if not i or key.startswith(start))][key] = value
    return parts


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


def is_exported_segmenter(config: object) -> bool:
    """Tell whether the exported network that makes masks is of this configuration; its side does not matter."""
    default = SegmenterConfig()
    return isinstance(config, SegmenterConfig) and replace(config, side=default.side) == default


def is_exported(config: object) -> bool:
    """Tell whether a network of this configuration is exported; rounds and working side do not matter."""
    return isinstance(config, Config) and replace(config.built, knows_off=0, bottleneck=0) == Config()
