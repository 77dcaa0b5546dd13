"""What makes the mask of a photograph that has none: a backbone, or a model of label maps."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spnrefine.files import masks
from spnrefine.job.types import Made

if TYPE_CHECKING:
    from spnrefine.refiner import Backbone, Parser


class FromBackbone:
    """The coarse mask of the object, which a refiner goes on from."""

    def __init__(self, backbone: "Backbone"):
        self.backbone = backbone

    def __call__(self, image: NDArray[np.uint8]) -> Made:
        return Made(masks.of_probability(self.backbone(image)))


class FromParser:
    """A label map, or with ``only`` the mask of one of its classes, refined already."""

    def __init__(self, parser: "Parser", only: str | None = None, threshold: float = 0.5):
        self.parser, self.only, self.threshold = parser, only, threshold

    def __call__(self, image: NDArray[np.uint8]) -> Made:
        if self.only is not None:
            before, probability = self.parser.only(image, self.only)
            return Made(masks.of_probability(before), probability, probability > self.threshold)
        parsed = self.parser(image)
        return Made(masks.of_labels(parsed.before), parsed.probability, parsed.after)
