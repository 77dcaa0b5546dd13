"""Arrays in, arrays out: the refiner crops around the object, scales, runs the network and pastes back."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.model import inference
from spnrefine.model.framing import working_size
from spnrefine.model.mirroring import Mirrored
from spnrefine.refiner.blocks import without_blocks
from spnrefine.refiner.coarse_to_fine import levels, look_closer, see_in_tiles
from spnrefine.refiner.exact import keep_exact
from spnrefine.refiner.inputs import Rebuilt, as_array, check_shapes, to_probability
from spnrefine.refiner.parts import find_parts, nearest
from spnrefine.refiner.presence import is_empty, is_full
from spnrefine.refiner.restraint import is_lost
from spnrefine.refiner.scaling import resize
from spnrefine.refiner.thin import keep_lines, thin_places


class Refiner(Rebuilt):
    """A loaded network, ready to refine one mask after another. It can be pickled and copied.

    Parameters
    ----------
    model : name of weights that ship, or path of a weights file.
    device : ``auto`` (CUDA where there is a device, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.
    threads : of the CPU for one call; None takes all cores. Calls from several Python threads may run at once.
    quick : see large objects once, at the network's working resolution, and not again along the contour.
    best : average over the photograph and its mirror image, for twice the time.

    Raises
    ------
    WeightsError
        The weights are missing, corrupt or of another network.
    BackendError
        There is no such device.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((60, 80, 3), 40, np.uint8)
    >>> image[10:50, 20:60] = 200  # a bright square
    >>> coarse = np.zeros((60, 80), np.float32)
    >>> coarse[14:54, 24:64] = 1  # four pixels off
    >>> refiner = Refiner(device="cpu")
    >>> probability = refiner(image, coarse)
    >>> probability.shape, probability.dtype
    ((60, 80), dtype('float32'))
    >>> bool(probability[30, 21] > 0.9), bool(probability[30, 63] < 0.1)
    (True, True)
    """

    def __init__(
        self,
        model: str = "general",
        device: str = "auto",
        threads: int | None = None,
        *,
        quick: bool = False,
        best: bool = False,
    ):
        self._made_with(model, device, threads, quick=quick, best=best)
        network = inference.load(model, device, threads)
        self.network = Mirrored(network) if best else network
        self.working_side = self.network.config.working_side
        self._quick = quick

    def __call__(self, image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
        """Refine one probability map.

        Parts that lie close together are seen together, the others each by itself (:mod:`spnrefine.refiner.parts`). The
        network sees their box plus a margin, at a longer side of at most ``working_side``, and then, where that was
        less than half of the photograph's resolution, tiles along the contour, closer and closer; farther from the
        parts ``coarse`` stays. A part whose contour would move by less than a fifth of a pixel on average stays as it
        is (:func:`~spnrefine.refiner.exact.keep_exact`), and so do lines and gaps too thin to be seen.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        coarse : (H, W) float32 in 0..1, probability of the object.

        Returns
        -------
        (H, W) float32 in 0..1, a new array.

        Raises
        ------
        ShapeError
            Naming what was given.
        """
        image, coarse = as_array(image, "image"), as_array(coarse, "mask")
        check_shapes(image, coarse)
        parts = find_parts(coarse)
        refined: NDArray[np.float32] | None = None
        for group in range(parts.count):
            frame = parts.frame(group)
            here, crop = (coarse if refined is None else refined)[frame.slices], image[frame.slices]
            seen, scale = self._see(crop, coarse[frame.slices], many=parts.longest(group) <= self.working_side / 2)
            reach = parts.reach(group, frame)
            if reach is not None:
                np.copyto(seen, here, where=~reach)
            seen = keep_lines(here, seen, scale)
            numbers = None if parts.single else nearest(parts.numbers[frame.slices])
            seen = keep_exact(here, seen, scale, numbers)
            if seen.shape == coarse.shape:
                refined = seen
                continue
            refined = coarse.astype(np.float32, copy=True) if refined is None else refined
            refined[frame.slices] = seen
        return coarse.astype(np.float32, copy=True) if refined is None else refined

    def _see(
        self, crop: NDArray[np.uint8], coarse: NDArray[np.float32], *, many: bool
    ) -> tuple[NDArray[np.float32], float]:
        """Refine what lies in one frame, a new array; also return the scale of the photograph's that was seen last.

        ``many`` says that the frame holds small parts, each of which would fit into what the network sees at once.
        """
        mask = without_blocks(coarse)
        height, width = mask.shape
        if many and max(height, width) > self.working_side and not self._quick:
            return see_in_tiles(self.network, crop, mask.copy(), 1.0, self.working_side), 1.0
        size = working_size(height, width, self.working_side)
        seen = self.network(resize(crop, size), np.clip(resize(mask, size), 0, 1))
        del mask
        whole = np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        scale = max(size) / max(height, width)
        if self._quick:
            return whole, scale
        thin = thin_places(coarse, scale)
        whole = look_closer(self.network, crop, whole, scale, coarse, thin)
        return whole, 1.0 if thin is not None else (levels(scale) or [scale])[-1]


def refine(
    image: NDArray[np.uint8],
    mask: NDArray,
    *,
    soft: bool = False,
    threshold: float = 0.5,
    model: str = "general",
    device: str = "auto",
) -> NDArray:
    """Refine a coarse mask so that its edge follows the photograph.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB: an array, or a PIL image, a list or a torch tensor of that shape and type.
    mask : (H, W), the coarse mask, likewise: bool; uint8, where 0..255 stands for probability, or 0 and 1 if no other
        values occur; float in 0..1, rounding aside; or integers that are 0 and 1, or 0 and 255.
    soft : return probabilities instead of a hard mask.
    threshold : the object is where the probability is above it.
    model, device : see :class:`Refiner`. The refiner made for them is kept for the next call.

    Returns
    -------
    (H, W) array: with ``soft``, float32 in 0..1; otherwise a hard mask of the dtype of ``mask`` in False / True,
    0 / 255 (0 / 1 if ``mask`` held no other values) or 0.0 / 1.0. An empty mask (nothing above 0.1) or a full one
    (all above 0.5) comes back as it came. One of which no pixel would be left keeps the object that it had.

    Raises
    ------
    ShapeError
        Shapes or types other than these, sizes that differ.
    WeightsError, BackendError
        See :class:`Refiner`.

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
    probability = to_probability(mask)
    check_shapes(image, probability)
    if is_empty(probability) or is_full(probability):
        return probability if soft else mask.copy()
    refined = _refiner(model, device)(image, probability)
    if is_lost(probability > threshold, refined > threshold):
        refined = probability
    if soft:
        return refined
    top = 255 if mask.dtype.kind in "iu" and mask.max() > 1 else 1
    return ((refined > threshold) * top).astype(mask.dtype)


@lru_cache(maxsize=2)
def _refiner(model: str, device: str) -> Refiner:
    return Refiner(model, device)
