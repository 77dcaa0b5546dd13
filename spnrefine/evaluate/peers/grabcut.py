"""GrabCut, from the coarse mask as its first guess."""

import cv2
import numpy as np

from spnrefine.evaluate.peers.peer import Image, Peer, Probability
from spnrefine.refiner.contour import contour_distance

ITERATIONS = 5
FREE = 0.02  # of the diagonal: pixels further than that from the coarse contour are held fast


def _grabcut(image: Image, coarse: Probability) -> Probability:
    """Rother, Kolmogorov and Blake, "GrabCut", SIGGRAPH 2004; OpenCV's implementation.

    With no pixel held fast, or with a wider band, it takes in whatever else has the object's colours, and does worse.
    Where the mask has no object, or no background, there is nothing to learn colours from: it comes back as it came.
    """
    guess = coarse > 0.5
    if guess.all() or not guess.any():
        return coarse
    free = contour_distance(guess) <= FREE * np.hypot(*guess.shape)
    labels = np.where(
        free, np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD), np.where(guess, cv2.GC_FGD, cv2.GC_BGD)
    ).astype(np.uint8)
    cv2.setRNGSeed(0)  # its clustering of colours starts at random
    cv2.grabCut(
        np.ascontiguousarray(image[..., ::-1]),
        labels,
        (0, 0, 0, 0),  # the rectangle, which a start from labels ignores
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        ITERATIONS,
        cv2.GC_INIT_WITH_MASK,
    )
    return ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.float32)


GRABCUT = Peer(
    "grabcut",
    f"{ITERATIONS} iterations; held fast is what lies further than {FREE:.0%} of the diagonal from the coarse contour",
    "OpenCV's tutorial of GrabCut",
    _grabcut,
)
