"""A photograph of 24 megapixels, made from a real one: what its refinement costs, and whether a seam shows."""

import multiprocessing
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.bench import peak_memory
from spnrefine.evaluate.scene import astronaut
from spnrefine.refiner import Refiner, to_probability

SIDE = 4900  # pixels: 24 megapixels
LEAST = 16  # pixels that a line's mean rests on: of fewer it says nothing
BESIDE = 8  # lines on either side that tell how large a jump is usual


def large(model: str, device: str) -> Iterator[dict[str, Any]]:
    """Refine the enlarged portrait in a fresh process; ``seam`` is that of ``seam()``."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        seconds, peak, jump = pool.apply(_refine_large, (SIDE, model, device))
    yield {
        "size": f"{SIDE}x{SIDE}",
        "megapixels": SIDE * SIDE / 1e6,
        "seconds": seconds,
        "peak_gb": peak / 1e9,
        "seam": jump,
    }


def seam(probability: NDArray[np.float32]) -> float:
    """Measure the most visible straight seam: a row or column across which the mask jumps as beside it it does not.

    For every line the jumps to the next are averaged over the pixels between 0 and 1, and the usual jump, the median
    of the lines around, is taken off. Pixels where the object's edge itself runs along the line, and so jumps
    across it, do not count. A mask of smooth edges has about 0; tiles that disagree by 0.1 have 0.1.

    Parameters
    ----------
    probability : (H, W) float32 in 0..1.

    Returns
    -------
    The largest excess, 0..1; 0 where nothing lies between 0 and 1.
    """
    return max(_seam_between_rows(p) for p in (probability, probability.T))


def _seam_between_rows(p: NDArray[np.float32]) -> float:
    if min(p.shape) < 2:
        return 0.0
    jumps = np.full(len(p) - 1, np.nan)
    for i in range(len(jumps)):  # line by line: a picture of differences would take as much memory as the photograph
        soft = (np.minimum(p[i], p[i + 1]) < 0.99) & (np.maximum(p[i], p[i + 1]) > 0.01)
        before, after = p[max(i - 1, 0)], p[min(i + 2, len(p) - 1)]
        across = np.maximum(np.abs(p[i] - before), np.abs(after - p[i + 1]))
        soft &= np.abs(np.gradient(p[i])) >= across
        if soft.sum() >= LEAST:
            jumps[i] = np.abs(p[i + 1, soft] - p[i, soft]).mean()
    padded = np.pad(jumps, BESIDE, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * BESIDE + 1)
    known = np.isfinite(jumps)
    return float((jumps[known] - np.nanmedian(around[known], 1)).max(initial=0))


def enlarged(side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Enlarge the portrait and its coarse mask to (side, side, 3) and (side, side) uint8."""
    image, mask = astronaut()
    return (
        np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)),
        np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST)),
    )


def _refine_large(side: int, model: str, device: str) -> tuple[float, float, float]:
    image, mask = enlarged(side)
    coarse = to_probability(mask)
    refiner = Refiner(model, device)
    refiner(image, coarse)  # warm
    start = time.perf_counter()
    refined = refiner(image, coarse)
    seconds = time.perf_counter() - start
    return seconds, peak_memory(), seam(refined)
