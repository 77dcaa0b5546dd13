"""Tensors of a weights file as the network's Numba kernels take them, made without waiting for Numba."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.winograd import along_height
from spnrefine.simd.lanes import LANES
from spnrefine.simd.memory import placed

HIDDEN = 8
"""Channels between the decoder's two convolutions."""

FEATURES = 32
"""Channels that the gates are made of."""

EPSILON = 1e-3  # of the batch norm


class GatesWeights(NamedTuple):
    """A 1x1 convolution; its outputs as directions, blocks of ``LANES`` channels, taps, and the block's channels."""

    weight: NDArray[np.float32]  # (directions, blocks, inputs, taps, LANES)
    bias: NDArray[np.float32]  # (directions, blocks, taps, LANES)


class DecoderWeights(NamedTuple):
    """Two 3x3 convolutions, a batch norm folded into the first; flat float32 arrays."""

    first: NDArray[np.float32]  # (SEEN, inputs, 3, HIDDEN), transformed along the height
    shift: NDArray[np.float32]  # (HIDDEN,)
    last: NDArray[np.float32]  # (HIDDEN, 3, 3)
    bias: NDArray[np.float32]  # (1,)


def gates(state: dict[str, NDArray[np.float32]], directions: int, taps: int, channels: int) -> GatesWeights:
    """Prepare the tensors ``guidance.gates.*``; ``channels`` are a multiple of ``LANES``.

    Raises
    ------
    ValueError
        They have other names or shapes.
    """
    outputs = directions * taps * channels
    weight, bias = _take(state, {"guidance.gates.weight": (outputs, FEATURES, 1, 1), "guidance.gates.bias": (outputs,)})
    parted = directions, taps, channels // LANES, LANES
    return GatesWeights(
        placed(weight.reshape(*parted, FEATURES).transpose(0, 2, 4, 1, 3)),
        placed(bias.reshape(parted).transpose(0, 2, 1, 3)),
    )


def decoder(state: dict[str, NDArray[np.float32]], inputs: int) -> DecoderWeights:
    """Prepare the tensors ``decode.*`` of a network for one class.

    Raises
    ------
    ValueError
        They have other names or shapes.
    """
    norm = {f"decode.0.1.{part}": (HIDDEN,) for part in ("weight", "bias", "running_mean", "running_var")}
    shapes = {"decode.0.0.weight": (HIDDEN, inputs, 3, 3), "decode.1.weight": (1, HIDDEN, 3, 3), "decode.1.bias": (1,)}
    first, last, bias, weight, shift, mean, variance = _take(state, shapes | norm)
    scale = weight / np.sqrt(variance + np.float32(EPSILON))
    first = along_height(first * scale[:, None, None, None])
    return DecoderWeights(first, shift - mean * scale, last.ravel(), bias)


def _take(state: dict[str, NDArray[np.float32]], shapes: dict[str, tuple[int, ...]]) -> list[NDArray[np.float32]]:
    if {key: value.shape for key, value in state.items()} != shapes:
        raise ValueError(f"{', '.join(state)}: expected {shapes}")
    return [np.ascontiguousarray(state[key]) for key in shapes]
