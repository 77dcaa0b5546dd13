"""A network asked twice, about a photograph and about its mirror image: the mean of both answers is a little better."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.protocols import Network, Parses

SIDES = ("left ", "right ")  # classes whose names begin so change places in a mirror


class Mirrored:
    """A refiner, averaged over both; called as :class:`~spnrefine.model.protocols.Network`."""

    def __init__(self, network: Network):
        self._network, self.config = network, network.config

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        return (self._network(image, coarse) + _flipped(self._network(_flipped(image), _flipped(coarse)))) / 2


class MirroredParser:
    """A model of label maps with these ``classes``, averaged over both; called as ``Parses`` in the same module."""

    def __init__(self, network: Parses, classes: Sequence[str]):
        self._network, self.config = network, network.config
        self._there = [_opposite(number, classes) for number in range(len(classes))]

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        seen, mirrored = self._network(image), self._network(_flipped(image))
        coarse, refined = ((a + _flipped(b)[self._there]) / 2 for a, b in zip(seen, mirrored, strict=True))
        return coarse, refined


def _flipped(picture: NDArray) -> NDArray:
    """Flip left to right: (H, W, 3) bytes, (H, W) or (K, H, W) floats."""
    return np.ascontiguousarray(picture[:, ::-1] if picture.dtype == np.uint8 else picture[..., ::-1])


def _opposite(number: int, classes: Sequence[str]) -> int:
    """Return the class that is seen in a mirror where class ``number`` is: its own, but for left and right."""
    for here, there in (SIDES, SIDES[::-1]):
        other = there + classes[number].removeprefix(here)
        if classes[number].startswith(here) and other in classes:
            return list(classes).index(other)
    return number
