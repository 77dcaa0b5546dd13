"""The public function ``refine``: whatever can be turned into arrays in, an array out."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spnrefine.errors import ShapeError
from spnrefine.refiner.choice import AUTO, checked_strength, checked_threshold
from spnrefine.refiner.inputs import are_ids, as_array, as_image, check_shapes, to_probability, top_of
from spnrefine.refiner.joint import refine_ids
from spnrefine.refiner.off import Off
from spnrefine.refiner.planes import refine_stack
from spnrefine.refiner.presence import is_empty, is_full
from spnrefine.refiner.refiner import Refiner
from spnrefine.refiner.restraint import is_lost


def refine(
    image: NDArray[np.uint8],
    mask: NDArray,
    *,
    soft: bool = False,
    threshold: float = 0.5,
    strength: float | str | None = AUTO,
    off: float | str | None = None,
    model: str = "general",
    device: str = "auto",
) -> NDArray:
    """Refine a coarse mask so that its edge follows the photograph.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB: an array, or a PIL image, a list or a torch tensor of that shape and type.
    mask : (H, W), the coarse mask, likewise: bool; uint8, where 0..255 stands for probability, but 0 and one other
        value alone for a hard mask; float in 0..1, rounding aside; or integers that are 0 and 1, or 0 and 255. Other
        integers, uint8 aside, are ids, refined together: 0 the background, or -1 where there is any. Or planes
        (K, H, W): the probabilities of classes where they sum to 1, plane 0 the background, refined together; else K
        masks.
    soft : return probabilities instead of a hard mask; of ids there are none.
    threshold : the object is where the probability is above it; less than 1.
    strength, off, model, device : see :class:`~spnrefine.refiner.Refiner`, which is kept for the next call.

    Returns
    -------
    An array of the shape of ``mask``: with ``soft``, float32 in 0..1; otherwise a hard mask of the dtype of ``mask`` in
    False / True, 0 / 255 (or 0 and the one other value it held), 0.0 / 1.0 or its ids. An empty mask (nothing above
    0.1) or a full one (all above 0.5) comes back as it came. One of which no pixel would be left keeps the object that
    it had.

    Raises
    ------
    ShapeError
        Shapes or types other than these, sizes that differ.
    SpnRefineError, WeightsError, BackendError
        See :class:`~spnrefine.refiner.Refiner`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((60, 80, 3), 40, np.uint8)
    >>> image[10:50, 20:60] = 200  # a bright square
    >>> mask = np.zeros((60, 80), bool)
    >>> mask[14:54, 24:64] = True  # four pixels off
    >>> refined = refine(image, mask, device="cpu")
    >>> truth = image[..., 0] == 200
    >>> float(round((mask & truth).sum() / (mask | truth).sum(), 2))  # IoU
    0.68
    >>> bool((refined & truth).sum() / (refined | truth).sum() > 0.95)
    True
    """
    image, mask = as_array(image, "image"), as_array(mask, "mask")
    threshold = checked_threshold(threshold)
    if mask.ndim not in (2, 3):
        raise ShapeError(f"The mask has shape {mask.shape}: expected (H, W), or planes (K, H, W).")
    if are_ids(mask):
        check_shapes(image, mask)
        if soft:
            raise ShapeError("The mask holds ids, of which there are no probabilities: leave out soft, or give planes.")
        return refine_ids(_refiner(model, device, checked_strength(strength), Off.of(off), threshold), image, mask)
    probability = to_probability(mask)
    if mask.ndim != 3:
        check_shapes(image, probability)
        if is_empty(probability) or is_full(probability):
            return probability if soft else mask.copy()
    refiner = _refiner(model, device, checked_strength(strength), Off.of(off), threshold)

    def refined_or_kept(image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        if is_empty(coarse) or is_full(coarse):
            return coarse
        refined = refiner(image, coarse)
        return coarse if is_lost(coarse > threshold, refined > threshold) else refined

    if mask.ndim == 3:
        refined = refine_stack(refiner, refined_or_kept, as_image(image), probability, threshold, soft=soft)
    else:
        refined = refined_or_kept(image, probability)
    if soft:
        return refined
    hard = refined if refined.dtype == bool else refined > threshold
    return (hard * top_of(mask)).astype(mask.dtype)


@lru_cache(maxsize=2)
def _refiner(model: str, device: str, strength: float | None, off: Off | None, threshold: float) -> Refiner:
    return Refiner(model, device, strength=strength, off=off, threshold=threshold)
