"""The network that makes mattes, run by ONNX Runtime: on the CPU always, for it is small."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import WeightsError
from spnrefine.model import weights
from spnrefine.model.config import MatteConfig
from spnrefine.model.sessions import EXPORTED, fitting, session
from spnrefine.model.weights import check_output

MATTE = EXPORTED / "matte.onnx"
BLOCK = 16
"""The sides of what the exported network is given are multiples of this."""


class MattingOnCPU:
    """The network of a weights file, on ``threads`` threads a call; several threads may call it at once.

    Raises
    ------
    WeightsError
        The weights are missing, corrupt or of another network.
    """

    def __init__(self, model: str = "matte", threads: int = 1):
        info = weights.describe(model)
        weights.expect(info, weights.MATTE)
        if info.config != MatteConfig():
            raise WeightsError(f"{info.path} is of another width than the network that is run here: use other weights.")
        _, state = weights.read(model)
        with fitting(info):
            self._session = session(MATTE, state, threads, info.sha256)

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return alpha (H, W) in 0..1 of what :func:`~spnrefine.model.matte_inputs.matte_inputs` gives, any H and W."""
        height, width = inputs.shape[1:]
        padded = np.pad(inputs, ((0, 0), (0, -height % BLOCK), (0, -width % BLOCK)), mode="edge")
        (alpha,) = self._session.run(None, {"inputs": padded[None]})
        check_output(alpha)
        return np.asarray(alpha[0, 0, :height, :width], np.float32)
