"""What networks, refiners and peers are to those who call them: arrays in, arrays out."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.config import Config, SegmenterConfig

Image = NDArray[np.uint8]
"""(H, W, 3), RGB."""
Probability = NDArray[np.float32]
"""(H, W) in 0..1."""


class RefinesMasks(Protocol):
    """Whatever makes a better mask of a coarse one: a network, a refiner, a peer."""

    def __call__(self, image: Image, coarse: Probability) -> Probability:
        """Refine a coarse mask (H, W), float32 in 0..1, guided by an image (H, W, 3), uint8 RGB; float32 in 0..1."""


class Network(RefinesMasks, Protocol):
    """A network ready for inference, which takes any H and W."""

    config: Config

    def __call__(self, image: Image, coarse: Probability, off: float = 0.0) -> Probability:
        """Refine a coarse mask, told how far off its edge may be, see :func:`spnrefine.model.off.coded`; 0: nothing.

        Only a network whose configuration ``knows_off`` looks at what it is told.
        """


def release(network: RefinesMasks) -> None:
    """Have a network that keeps memory for its next call give it back."""
    if hasattr(network, "release"):
        network.release()


class SegmentsObjects(Protocol):
    """A network that makes the mask of an object."""

    config: SegmenterConfig

    def __call__(self, image: Image) -> Probability:
        """Return probabilities (H / 8, W / 8) of the object in an image (H, W, 3), uint8 RGB, sides of 32 n."""


class Parses(Protocol):
    """A network that makes a label map and refines it."""

    config: Config

    def __call__(self, image: Image) -> tuple[Probability, Probability]:
        """Return the classes' probabilities (K, H, W) in an image (H, W, 3), uint8 RGB: coarse, and refined."""
