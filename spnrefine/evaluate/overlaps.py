"""How far masks of two lists overlap: IoU of each with each, over all of them or along their boundaries."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed
from spnrefine.evaluate.metrics import Measures, inner_band

Matrix = NDArray[np.float64]


def known_part(mask: Boxed, void: NDArray[np.bool_]) -> Boxed:
    """Return what of a mask does not lie in ``void`` (H, W)."""
    return Boxed(mask.size, mask.box, mask.pixels & ~void[mask.box.slices])


def band_of(mask: Boxed, share: float) -> Boxed:
    """Return the band of Boundary IoU of a mask; ``share`` is its width, of the picture's diagonal."""
    return Boxed(mask.size, mask.box, inner_band(mask.pixels, Measures(share).width(*mask.size)))


def ious(found: Sequence[Boxed], true: Sequence[Boxed], crowd: Sequence[bool] = ()) -> Matrix:
    """Return (D, G): the IoU of each mask found with each true one; 0 where both are empty.

    With a crowd, it is the share of the mask found that lies in it, as COCO's code has it.
    """
    values = np.zeros((len(found), len(true)))
    for i, one in enumerate(found):
        for j, other in enumerate(true):
            both = intersection(one, other)
            if both:
                whole = one.area if len(crowd) and crowd[j] else one.area + other.area - both
                values[i, j] = both / whole
    return values


def intersection(one: Boxed, other: Boxed) -> int:
    """Count the pixels that two masks share."""
    both = one.box.cut(other.box)
    if not both.height or not both.width:
        return 0
    return int(np.count_nonzero(_cut(one, both) & _cut(other, both)))


def _cut(mask: Boxed, box: Box) -> NDArray[np.bool_]:
    return np.asarray(mask.pixels[box.inside(mask.box).slices])
