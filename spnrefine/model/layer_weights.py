"""Tensors of a weights file as the kernels of whole layers take them: batch norms folded, side by side in one array.

Each layer's numbers begin with its shifts, one an output, and go on with its factors, in the order in which they are
used; outputs lie innermost. Depthwise layers do so for each chunk of ``LANES`` channels.
"""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.kernel_weights import EPSILON, FEATURES
from spnrefine.model.winograd import in_squares
from spnrefine.simd.lanes import LANES

State = dict[str, NDArray[np.float32]]
Folded = tuple[NDArray[np.float32], NDArray[np.float32]]

ENCODER = "guidance.encoder."
FIRST, SECOND = f"{ENCODER}stages.0.0.", f"{ENCODER}stages.1.0."
DETAIL = "guidance.detail_"
SHALLOW = "embed.", f"{ENCODER}stem.", FIRST, SECOND, DETAIL
"""How the names of tensors of the shallow layers begin."""
JOINING = "guidance.decoder2.beside.", "guidance.decoder2.joined.", "guidance.decoder2.0.", "guidance.decoder2.1."
"""And of the last decoder's."""
BELOW = 48
"""Channels that the last decoder enlarges."""
DEEP = 24
"""Channels of the encoder's second block, from which ONNX Runtime goes on."""


class Tensors:
    """The tensors of a state, each to be taken once.

    Raises
    ------
    ValueError
        They have other names or shapes.
    """

    def __init__(self, state: State):
        self._left = dict(state)

    def take(self, name: str, *shape: int) -> NDArray[np.float32]:
        value = self._left.pop(name, None)
        if value is None or value.shape != shape:
            raise ValueError(f"{name} is {'missing' if value is None else value.shape}: expected {shape}")
        return value

    def folded(self, name: str, *shape: int) -> Folded:
        """Return factors of such a shape and shifts of a convolution and its batch norm."""
        conv = self.take(f"{name}.0.weight", *shape)
        names = "weight", "bias", "running_mean", "running_var"
        weight, bias, mean, variance = (self.take(f"{name}.1.{each}", shape[0]) for each in names)
        scale = weight / np.sqrt(variance + np.float32(EPSILON))
        return conv * scale[:, None, None, None], bias - mean * scale

    def end(self) -> None:
        if self._left:
            raise ValueError(f"{', '.join(self._left)}: expected no such tensors")


def shallow(state: State, planes: int) -> NDArray[np.float32]:
    """Prepare the tensors of the shallow layers of a network that sees so many planes, as a flat array.

    Raises
    ------
    ValueError
        They have other names or shapes.
    """
    tensors = Tensors(state)
    layers = [
        _by_row(*tensors.folded(f"{ENCODER}stem", 32, planes, 3, 3)),
        _depthwise(*tensors.folded(f"{FIRST}depthwise", 32, 1, 3, 3)),
        _by_row(*tensors.folded(f"{FIRST}project", 16, 32, 1, 1)),
        _by_row(*tensors.folded(f"{SECOND}expand", 96, 16, 1, 1)),
        _depthwise(*tensors.folded(f"{SECOND}depthwise", 96, 1, 3, 3)),
        _by_row(*_padded(*tensors.folded(f"{SECOND}project", 24, 96, 1, 1))),
        _by_input(*tensors.folded(f"{DETAIL}full", 8, planes, 3, 3)),
        _by_row(*tensors.folded(f"{DETAIL}half", 16, 8, 3, 3)),
        _by_row(tensors.take("embed.weight", 16, 1, 4, 4), tensors.take("embed.bias", 16)),
    ]
    tensors.end()
    assert [sum(len(layer) for layer in layers[:count]) for count in range(10)] == [*shallow_layers(planes)]
    return np.concatenate(layers)


def shallow_layers(planes: int) -> tuple[int, int, int, int, int, int, int, int, int, int]:
    """Where in the array of :func:`shallow` each layer's numbers begin, and its size."""
    filtering = 32 * (planes * 9 + 1)
    mixing = filtering + 32 * 10
    expanding = mixing + 16 * 33
    reducing = expanding + 96 * 17
    out = reducing + 96 * 10
    detail = out + 32 * 97
    half = detail + 8 * (planes * 9 + 1)
    embed = half + 16 * 73
    return 0, filtering, mixing, expanding, reducing, out, detail, half, embed, embed + 16 * 17


def joining(state: State, below: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Prepare the tensors of the last decoder, of a network with a bottleneck or without, but for those of ``below``.

    Returns
    -------
    The factors of what lies beside, (inputs, outputs), none of it without a bottleneck, and the shifts and transformed
    factors of the 3x3 convolution; flat.

    Raises
    ------
    ValueError
        They have other names or shapes.
    """
    tensors, name = Tensors(state), "guidance.decoder2"
    if f"{name}.beside.weight" in state:
        beside = tensors.take(f"{name}.beside.weight", below, 2 * LANES, 1, 1)[:, :, 0, 0].T
        factors, shifts = tensors.folded(f"{name}.joined", FEATURES, below, 3, 3)
    else:
        beside = np.zeros((0, below), np.float32)
        factors, shifts = tensors.folded(name, FEATURES, below + 2 * LANES, 3, 3)
    tensors.end()
    return beside.ravel(), np.concatenate([shifts, in_squares(factors)])


def _by_row(factors: NDArray[np.float32], shifts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Order (outputs, inputs, height, width) by height, inputs, width, outputs."""
    return np.concatenate([shifts, factors.transpose(2, 1, 3, 0).ravel()])


def _by_input(factors: NDArray[np.float32], shifts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Order (outputs, inputs, height, width) by inputs, height, width, outputs."""
    return np.concatenate([shifts, factors.transpose(1, 2, 3, 0).ravel()])


def _depthwise(factors: NDArray[np.float32], shifts: NDArray[np.float32]) -> NDArray[np.float32]:
    each = np.concatenate([shifts[:, None], factors.reshape(len(factors), 9)], 1)  # (channels, 10)
    return each.reshape(-1, LANES, 10).transpose(0, 2, 1).ravel()


def _padded(factors: NDArray[np.float32], shifts: NDArray[np.float32]) -> Folded:
    """Fill the last chunk of outputs with zeros."""
    more = -len(shifts) % LANES
    return np.pad(factors, ((0, more), (0, 0), (0, 0), (0, 0))), np.pad(shifts, (0, more))
