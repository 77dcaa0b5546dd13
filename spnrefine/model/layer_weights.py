"""Tensors of a weights file as the kernels of whole layers take them: batch norms folded, side by side in one array.

Each layer's numbers begin with its shifts, one an output, and go on with its factors, in the order in which they are
used; outputs lie innermost. Depthwise layers do so for each chunk of ``LANES`` channels.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.kernel_weights import EPSILON
from spnrefine.model.winograd import in_squares
from spnrefine.simd.lanes import LANES
from spnrefine.simd.memory import placed

State = dict[str, NDArray[np.float32]]
Folded = tuple[NDArray[np.float32], NDArray[np.float32]]

ENCODER = "guidance.encoder."
FIRST, SECOND, THIRD = (f"{ENCODER}stages.{block}." for block in ("0.0", "1.0", "1.1"))
DETAIL = "guidance.detail_"
SHALLOW = "embed.", f"{ENCODER}stem.", FIRST, SECOND, THIRD, DETAIL
"""How the names of tensors of the shallow layers begin."""
_PARTS = "beside.", "joined.", "0.", "1."
JOINING = *(f"guidance.decoder{at}.{part}" for at in (4, 2) for part in _PARTS), "guidance.decoder2.below."
"""And of the last two decoders'."""
DEEP = 24
"""Channels of the encoder at stride 4, from which ONNX Runtime goes on."""


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
        _by_row(*_padded(*tensors.folded(f"{THIRD}expand", 144, 24, 1, 1))),
        _depthwise(*tensors.folded(f"{THIRD}depthwise", 144, 1, 3, 3)),
        _by_row(*_padded(*tensors.folded(f"{THIRD}project", 24, 144, 1, 1))),
        _by_row(*tensors.folded(f"{DETAIL}half", 16, 8, 3, 3)),
        _by_row(tensors.take("embed.weight", 16, 1, 4, 4), tensors.take("embed.bias", 16)),
        _by_input(*tensors.folded(f"{DETAIL}full", 8, planes, 3, 3)),
    ]
    tensors.end()
    numbers = placed(np.concatenate(layers))
    assert len(numbers) == shallow_layers(planes)[-1]
    return numbers


def shallow_layers(planes: int) -> tuple[int, int, int, int, int, int, int, int, int, int]:
    """Where in the array of :func:`shallow` the numbers of these begin, and its size.

    The stem, the three layers of the first block and of what it is expanded to, the rest of the second block, the
    third, the halved detail, the embedded mask, detail.
    """
    filtering = 32 * (planes * 9 + 1)
    mixing = filtering + 32 * 10
    expanding = mixing + 16 * 33
    second = expanding + 96 * 17
    third = second + 96 * 10 + 32 * 97
    half = third + 144 * 33 + 144 * 10 + 32 * 145
    embed = half + 16 * 73
    detail = embed + 16 * 17
    return 0, filtering, mixing, expanding, second, third, half, embed, detail, detail + 8 * (planes * 9 + 1)


class Joining(NamedTuple):
    """A decoder; flat arrays."""

    below: int
    """Chunks of what it enlarges."""
    outputs: int
    """Chunks."""
    beside: NDArray[np.float32]
    """Factors of what lies beside, (inputs, outputs); none where it is joined as it is, without a bottleneck."""
    numbers: NDArray[np.float32]
    """Shifts and transformed factors of the 3x3 convolution."""
    mixed: NDArray[np.float32]
    """Factors of a 1x1 convolution that follows, (inputs, outputs), or none."""


def joining(state: State) -> tuple[Joining, Joining]:
    """Prepare the tensors of the last two decoders, of a network with a bottleneck or without.

    Raises
    ------
    ValueError
        They have other names or shapes.
    """
    tensors = Tensors(state)
    narrow = "guidance.decoder2.below.weight" in state
    none = np.zeros(0, np.float32)
    mixed = _across(tensors.take("guidance.decoder2.below.weight", 48, 48, 1, 1)) if narrow else none
    found = []
    for at, below, beside, outputs, follows in ((4, 64, 24, 48, mixed), (2, 48, 32, 32, none)):
        name, inputs = f"guidance.decoder{at}", 48 if narrow else below
        if narrow:
            factors = _across(_padded_inputs(tensors.take(f"{name}.beside.weight", inputs, beside, 1, 1)))
            convolved = tensors.folded(f"{name}.joined", outputs, inputs, 3, 3)
        else:
            factors = none
            convolved = tensors.folded(name, outputs, inputs + beside, 3, 3)
        numbers = placed(np.concatenate([convolved[1], in_squares(_padded_inputs(convolved[0]))]))
        found.append(Joining(inputs // LANES, outputs // LANES, factors, numbers, follows))
    tensors.end()
    return found[0], found[1]


def _across(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Order (outputs, inputs, 1, 1) by inputs, outputs."""
    return placed(factors[:, :, 0, 0].T).ravel()


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
    """Fill the last chunks of outputs and inputs with zeros."""
    more = -len(shifts) % LANES
    return _padded_inputs(np.pad(factors, ((0, more), (0, 0), (0, 0), (0, 0)))), np.pad(shifts, (0, more))


def _padded_inputs(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.pad(factors, ((0, 0), (0, -factors.shape[1] % LANES), (0, 0), (0, 0)))
