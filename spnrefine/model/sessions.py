"""Networks as ONNX Runtime runs them: a structure exported once, with the numbers of any weights file that fits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from spnrefine.errors import WeightsError, in_words
from spnrefine.model.weights import WeightsInfo

EXPORTED = Path(__file__).parent / "exported"
_ERRORS_ONLY = 3  # ONNX Runtime's log level


def session(path: Path, state: dict[str, NDArray[np.float32]], threads: int) -> onnxruntime.InferenceSession:
    """Have ONNX Runtime load an exported network with the tensors that it goes by names for."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    # its threads may wait busily for each other, but not on while the propagation runs
    options.add_session_config_entry("session.force_spinning_stop", "1")
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in state.values()]
    options.add_external_initializers([*state], values)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@contextmanager
def fitting(info: WeightsInfo) -> Iterator[None]:
    """Say of whatever ONNX Runtime raises inside, of whichever of its own types, that the tensors do not fit.

    Raises
    ------
    WeightsError
        The tensors are not those of the network.
    """
    try:
        yield
    except Exception as error:
        if in_words(error):
            raise
        raise WeightsError(f"{info.path} does not fit its network ({error}): name other weights.") from None
