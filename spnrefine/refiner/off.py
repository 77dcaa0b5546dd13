"""How far off a mask's edge may be, as users say it, and how a network is made to believe it."""

import math
import re
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import SpnRefineError
from spnrefine.model.framing import PRESENT
from spnrefine.model.off import EXACT_PIXELS


@dataclass(frozen=True)
class Off:
    """A distance between the coarse contour and the true one, on average over the contour.

    ``amount`` is in the photograph's pixels, or with ``relative`` a share of the object's size.
    """

    amount: float
    relative: bool = False

    @classmethod
    def of(cls, given: "float | str | Off | None") -> "Off | None":
        """Read a distance: pixels as a number or its text, ``"2%"`` of the object's size; None or ``"auto"``: not told.

        Raises
        ------
        SpnRefineError
            Anything else.
        """
        if given is None or given == "auto":
            return None
        if isinstance(given, Off):
            return given
        text = str(given)
        found = re.fullmatch(r"([0-9]*\.?[0-9]+(?:e-?[0-9]+)?)(%?)", text)
        if found is None:
            raise SpnRefineError(f"Off was {text!r}: expected pixels such as 3, a share such as 2%, or auto.")
        amount = float(found[1])
        return cls(amount / 100, True) if found[2] else cls(amount)

    @property
    def is_nothing(self) -> bool:
        """Whether the mask is said to be exact, so that nothing is to be refined."""
        return self.amount == 0

    def pixels(self, coarse: NDArray[np.float32]) -> float:
        """Return the distance for a probability map (H, W), in pixels."""
        if not self.relative:
            return self.amount
        return self.amount * object_size(coarse)

    def __str__(self) -> str:
        return f"{100 * self.amount:g}%" if self.relative else f"{self.amount:g}"


def object_size(coarse: NDArray[np.float32]) -> float:
    """Return the size of the object in a probability map (H, W), in pixels: the root of the mean area of its parts."""
    present = (coarse > PRESENT).astype(np.uint8)
    parts = cv2.connectedComponents(present, connectivity=8)[0] - 1
    return math.sqrt(int(present.sum()) / max(parts, 1))


def softened(mask: NDArray[np.float32], pixels: float) -> NDArray[np.float32]:
    """Return a probability map (H, W) with an edge as soft as it may be off, for networks that know of nothing else.

    The wider an edge, the less a network believes it: the mask is cut at a half and blurred by a Gaussian with a
    standard deviation of ``pixels``. One less off than 0.1 is only cut.
    """
    hard = (mask > 0.5).astype(np.float32)
    if pixels < EXACT_PIXELS:
        return hard
    return np.asarray(cv2.GaussianBlur(hard, (0, 0), pixels, borderType=cv2.BORDER_REPLICATE), np.float32)
