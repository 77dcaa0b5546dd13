"""A network asked twice, about a photograph and about its mirror image: the mean of both answers is a little better."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.protocols import Network, Parses, release

SIDES = {"left": "right", "right": "left"}
"""Words in the names of classes that change places in a mirror."""


class Mirrored:
    """A refiner, averaged over both; called as :class:`~spnrefine.model.protocols.Network`."""

    def __init__(self, network: Network):
        self._network, self.config = network, network.config

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32], off: float = 0.0) -> NDArray[np.float32]:
        mirrored = self._network(_flipped(image), _flipped(coarse), off)
        return (self._network(image, coarse, off) + _flipped(mirrored)) / 2

    def release(self) -> None:
        """Give back the network's memory."""
        release(self._network)


class MirroredParser:
    """A model of label maps with these ``classes``, averaged over both; called as ``Parses`` in the same module."""

    def __init__(self, network: Parses, classes: Sequence[str]):
        self._network, self.config = network, network.config
        self._there = opposites(classes)

    def __call__(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        seen, mirrored = self._network(image), self._network(_flipped(image))
        coarse, refined = ((a + _flipped(b)[self._there]) / 2 for a, b in zip(seen, mirrored, strict=True))
        return coarse, refined


def _flipped(picture: NDArray) -> NDArray:
    """Flip left to right: (H, W, 3) bytes, (H, W) or (K, H, W) floats."""
    return np.ascontiguousarray(picture[:, ::-1] if picture.dtype == np.uint8 else picture[..., ::-1])


def opposites(classes: Sequence[str]) -> list[int]:
    """Return the number of the class that is seen in a mirror where each one is: its own, but for left and right.

    They are told by the names: "left eye" and "right eye" change places, and so do "eye left" and "eye right".
    """
    numbers = {name: number for number, name in enumerate(classes)}
    swapped = (" ".join(SIDES.get(word, word) for word in name.split(" ")) for name in classes)
    return [numbers.get(other, number) for number, other in enumerate(swapped)]
