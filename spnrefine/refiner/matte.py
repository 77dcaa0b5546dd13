"""A matte of a refined mask: how much of each pixel the object covers, along its edge."""

import numpy as np
from numpy.typing import NDArray

from spnrefine.model.matte_inputs import SURROUND, matte_inputs
from spnrefine.model.matte_on_cpu import MattingOnCPU
from spnrefine.refiner import opencv
from spnrefine.refiner.averages import keep_matte_averages
from spnrefine.refiner.contour import contour_distance
from spnrefine.refiner.exact_matte import keep_exact_mattes
from spnrefine.refiner.tiles import tiles

SIDE = 256
"""Pixels of a tile's core."""
REACH = 40.0
"""Pixels from the refined or the coarse contour as far as which alpha is looked for."""
FADE = 8.0
"""The last of these pixels, over which what is found gives way to what came in."""
NEAR = 6.0, 10.0
"""Pixels from the refined contour over which alphas that are nearly 0 or 1 become these:"""
NEARLY = 0.05, 0.2
"""up to the first all the way, from there to the second less and less."""


class Matting:
    """A loaded network that makes mattes; several threads may call it at once.

    Parameters
    ----------
    model : name of weights that ship, or path of a weights file.
    threads : of the CPU for one call.

    Raises
    ------
    WeightsError
        The weights are missing, corrupt or of another network.
    BackendError
        OpenCV lacks a part that it needs.
    """

    def __init__(self, model: str = "matte", threads: int = 1):
        opencv.need("ximgproc.guidedFilter", "A matte")
        self._network = MattingOnCPU(model, threads)

    def __call__(
        self,
        image: NDArray[np.uint8],
        coarse: NDArray[np.float32],
        refined: NDArray[np.float32],
        inside: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Return alpha, (H, W) float32 in 0..1.

        Along the refined contour, and along the coarse one where it was another, alpha is the network's. Elsewhere
        what came in stays, a shadow's half tones too, if it lies on the side of the refined mask; so does all of a part
        that was exact. A matte of a lower resolution keeps its averages (:mod:`spnrefine.refiner.averages`).

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        coarse, refined : (H, W) float32 in 0..1, what came in, perhaps a matte itself, and what was made of it.
        inside : (H, W) bool, the refined mask.
        """
        refined = np.where((refined > 0.5) == inside, refined, inside).astype(np.float32)
        alpha = np.where((coarse > 0.5) == inside, coarse, inside).astype(np.float32)
        distance = contour_distance(inside)
        share = _share(np.minimum(distance, contour_distance(coarse > 0.5)))
        for core, seen in tiles(share > 0, SIDE, SURROUND):
            here = seen.slices
            found = self._network(matte_inputs(image[here], coarse[here], refined[here]))
            found = found[core.inside(seen).slices]
            found = _without_haze(found, distance[core.slices])
            alpha[core.slices] += share[core.slices] * (found - alpha[core.slices])
        alpha = np.clip(keep_exact_mattes(image, coarse, alpha), 0, 1)
        keep_matte_averages(coarse, alpha)
        return alpha


def _share(distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much alpha is the network's (H, W): 1 near either contour, and 0 beyond its reach."""
    return np.clip((REACH - distance) / FADE, 0, 1).astype(np.float32)


def _without_haze(alpha: NDArray[np.float32], distance: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take out what the network mixes in of masks that it does not believe, (H, W): faint, and far from the contour."""
    off = np.minimum(alpha, 1 - alpha)  # from the nearer of 0 and 1
    kept = np.clip((off - NEARLY[0]) / (NEARLY[1] - NEARLY[0]), 0, 1)
    near = np.clip((NEAR[1] - distance) / (NEAR[1] - NEAR[0]), 0, 1)
    cleaned = np.where(alpha < 0.5, off * kept, 1 - off * kept)
    return (cleaned + near * (alpha - cleaned)).astype(np.float32)
