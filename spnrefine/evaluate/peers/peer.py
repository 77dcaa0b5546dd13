"""What a peer is, and what several of them make of a mask."""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from spnrefine.model.protocols import Image, Probability, RefinesMasks
from spnrefine.refiner import opencv

SURE = 0.7
"""How far a hard mask is believed, in either class: ``gt_prob`` of pydensecrf's example."""


@dataclass(frozen=True)
class Peer:
    """Another refiner with its published settings; called like ``Refiner``.

    Parameters
    ----------
    name : what ``spnrefine eval --peers`` calls it.
    settings : the parameters, each named.
    source : who published them.
    run : what it does with an image and a coarse mask.
    module, package : what it imports, and the package that brings it.
    part : of OpenCV, which not all of its packages have.
    """

    name: str
    settings: str
    source: str
    run: RefinesMasks
    module: str = "cv2"
    package: str = opencv.PACKAGE
    part: str | None = None

    def __call__(self, image: Image, coarse: Probability) -> Probability:
        return self.run(image, coarse)

    @property
    def installed(self) -> bool:
        return find_spec(self.module) is not None and (self.part is None or opencv.has(self.part))


def is_hard(coarse: Probability) -> bool:
    """Tell whether a mask holds zeros and ones alone."""
    return not ((coarse > 0) & (coarse < 1)).any()


def belief(coarse: Probability) -> Probability:
    """Return probabilities to start from: the mask's own, or 0.7 and 0.3 where it is hard."""
    return np.where(coarse > 0.5, SURE, 1 - SURE).astype(np.float32) if is_hard(coarse) else coarse
