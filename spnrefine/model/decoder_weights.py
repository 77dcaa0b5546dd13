"""The decoder's tensors as :mod:`spnrefine.model.decoder_on_cpu` takes them, made without waiting for Numba."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HIDDEN = 8
"""Channels between the decoder's two convolutions."""

EPSILON = 1e-3  # of the batch norm


class DecoderWeights(NamedTuple):
    """Two 3x3 convolutions, the batch norm folded into the first; flat float32 arrays."""

    first: NDArray[np.float32]  # (inputs, 3, 3, HIDDEN): what one number is multiplied with lies side by side
    shift: NDArray[np.float32]  # (HIDDEN,)
    last: NDArray[np.float32]  # (HIDDEN, 3, 3)
    bias: NDArray[np.float32]  # (1,)


def fold(state: dict[str, NDArray[np.float32]], inputs: int) -> DecoderWeights:
    """Prepare the tensors ``decode.*`` of a weights file for one class.

    Raises
    ------
    ValueError: they have other names or shapes.
    """
    norm = {f"decode.0.1.{part}": (HIDDEN,) for part in ("weight", "bias", "running_mean", "running_var")}
    shapes = {"decode.0.0.weight": (HIDDEN, inputs, 3, 3), "decode.1.weight": (1, HIDDEN, 3, 3), "decode.1.bias": (1,)}
    if {key: value.shape for key, value in state.items()} != shapes | norm:
        raise ValueError("the decoder's tensors have other names or shapes")
    weight, shift, mean, variance = (state[key] for key in norm)
    scale = weight / np.sqrt(variance + np.float32(EPSILON))
    first = state["decode.0.0.weight"] * scale[:, None, None, None]
    last = np.ascontiguousarray(state["decode.1.weight"]).ravel()
    return DecoderWeights(first.transpose(1, 2, 3, 0).ravel(), shift - mean * scale, last, state["decode.1.bias"])
