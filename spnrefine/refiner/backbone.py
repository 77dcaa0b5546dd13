"""The mask of the object in a photograph, where none is given: coarse, for the refiner to go on from."""

import math

import numpy as np
from numpy.typing import NDArray

from spnrefine.model import inference
from spnrefine.model.framing import PRESENT
from spnrefine.refiner.inputs import Rebuilt, as_image
from spnrefine.refiner.scaling import resize

MULTIPLE = 32  # of the network's input
CLEAR = 0.5  # where nothing is more probable, there is no object


class Backbone(Rebuilt):
    """A loaded network that makes the mask of whatever stands out, several objects included.

    Parameters, errors: as for :class:`spnrefine.refiner.Refiner`; ``model`` are weights of a backbone.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((60, 80, 3), 40, np.uint8)
    >>> image[10:50, 20:60] = 200  # a bright square
    >>> coarse = Backbone(device="cpu")(image)
    >>> coarse.shape, coarse.dtype
    ((60, 80), dtype('float32'))
    >>> bool(coarse[30, 40] > 0.5), bool(coarse[0, 0] > 0.5)
    (True, False)
    """

    def __init__(self, model: str = "object", device: str = "auto", threads: int | None = None):
        self._made_with(model, device, threads)
        self.network = inference.load_segmenter(model, device, threads)

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the coarse mask (H, W), float32 in 0..1, of an image (H, W, 3), uint8 RGB.

        The network's mask is 8 times smaller than its input, and enlarged bilinearly. All is 0 where no object is
        clear.
        """
        image = as_image(image)
        height, width = image.shape[:2]
        seen = self.network(resize(image, input_size(height, width, self.network.config.side)))
        if not (seen > CLEAR).any():
            return np.zeros((height, width), np.float32)
        coarse: NDArray[np.float32] = np.asarray(resize(seen, (height, width)))
        coarse[coarse < PRESENT / 10] = (
            0  # so that the refiner's box, and a soft mask's file, are no larger than need be
        )
        return coarse


def input_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Return multiples of 32 whose product is about ``side`` squared, in about the same proportion."""
    stretch = math.sqrt(height / width)

    def rounded(length: float) -> int:
        return int(np.clip(round(length / MULTIPLE), 2, 2 * side // MULTIPLE)) * MULTIPLE

    return rounded(side * stretch), rounded(side / stretch)
