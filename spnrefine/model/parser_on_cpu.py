"""The network of label maps on the CPU without torch, as :mod:`spnrefine.model.on_cpu` runs refiners.

ONNX Runtime runs the base and all that comes before the gates, kernels the gates and the propagation, and ONNX Runtime
the decoder, which for several classes has no kernel.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.config import Config
from spnrefine.model.propagation_on_cpu import Background, PropagationOnCPU
from spnrefine.model.sessions import EXPORTED, fitting, session
from spnrefine.model.weights import WeightsInfo, check_output

OF_FACES = Config(channels=32, classes=11)
PARSE = {
    OF_FACES: EXPORTED / "parse.onnx",
    replace(OF_FACES, bottleneck=1): EXPORTED / "parse_bottleneck.onnx",
}
"""By configuration, as :attr:`~spnrefine.model.config.Config.built`."""
DECODE = EXPORTED / "decode.onnx"
"""The same for both."""


class ParserOnCPU:
    """The network of a weights file whose configuration :func:`is_exported_parser`, on ``threads`` threads a call.

    Raises
    ------
    WeightsError
        The tensors are not those of the network.
    """

    def __init__(self, info: WeightsInfo, state: dict[str, NDArray[np.float32]], threads: int):
        assert isinstance(info.config, Config)
        self.config = info.config
        prefixes = "spn.decode.", "spn.guidance.gates."
        decoder, gates = ({key: state[key] for key in state if key.startswith(prefix)} for prefix in prefixes)
        rest = {key: value for key, value in state.items() if not key.startswith(prefixes)}
        named = {key.removeprefix("spn."): value for key, value in gates.items()}
        with fitting(info), Background() as background:
            self._propagate = PropagationOnCPU(self.config, named, threads, background)
            self._begin = session(PARSE[self.config.built], rest, threads, info.sha256)
            self._decode = session(DECODE, decoder, threads, info.sha256)

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the classes' probabilities (K, H, W) in an image (H, W, 3), uint8 RGB: coarse, and refined."""
        height, width = image.shape[:2]
        coarse, features, state, detail, mask = self._begin.run(None, {"image": image[None]})
        spread = np.ascontiguousarray(self._propagate(features, state))
        (refined,) = self._decode.run(None, {"state": spread, "detail": detail, "mask": mask})
        check_output(coarse, refined)
        return coarse[0], refined[0, :, :height, :width]


def is_exported_parser(config: object) -> bool:
    """Tell whether a network of label maps of this configuration is exported; rounds and side do not matter."""
    return isinstance(config, Config) and config.built in PARSE
