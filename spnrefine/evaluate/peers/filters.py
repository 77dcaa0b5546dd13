"""Filters of OpenCV that smooth the mask along the photograph: joint bilateral, guided, domain transform."""

import cv2
import numpy as np

from spnrefine.evaluate.peers.peer import Image, Peer, Probability

SPACE, COLOUR = 10, 25  # pixels and gray levels: where the sliders of OpenCV's demo of these filters stand at its start
DEMO = "ximgproc/samples/live_demo.cpp of opencv_contrib"


def _joint_bilateral(image: Image, coarse: Probability) -> Probability:
    """Tomasi and Manduchi, ICCV 1998; Petschnigg et al., SIGGRAPH 2004. Window size from the sigma in space."""
    return _unit(cv2.ximgproc.jointBilateralFilter(image.astype(np.float32), coarse, -1, COLOUR, SPACE))


def _guided(image: Image, coarse: Probability) -> Probability:
    """He, Sun and Tang, "Guided Image Filtering", TPAMI 2013: the feathering of masks.

    Their eps is for colours in 0..1; OpenCV's float32 loses such small covariances, so both are scaled by 255.
    """
    return _unit(cv2.ximgproc.guidedFilter(image.astype(np.float32), coarse, 60, 1e-6 * 255**2))


def _guided_demo(image: Image, coarse: Probability) -> Probability:
    return _unit(cv2.ximgproc.guidedFilter(image.astype(np.float32), coarse, SPACE, COLOUR**2))


def _domain_transform(image: Image, coarse: Probability) -> Probability:
    """Gastal and Oliveira, "Domain Transform", SIGGRAPH 2011; of its filters the one that is OpenCV's default."""
    guide = (image / 255).astype(np.float32)
    return _unit(cv2.ximgproc.dtFilter(guide, coarse, 60, 0.4, mode=cv2.ximgproc.DTF_NC, numIters=3))


def _domain_transform_demo(image: Image, coarse: Probability) -> Probability:
    return _unit(cv2.ximgproc.dtFilter(image, coarse, SPACE, COLOUR, mode=cv2.ximgproc.DTF_NC, numIters=3))


def _unit(filtered: object) -> Probability:
    """Bring a filter's result back to 0..1: the guided filter, a linear model, leaves it."""
    return np.clip(np.asarray(filtered, np.float32), 0, 1)


JOINT_BILATERAL = Peer(
    "joint-bilateral",
    f"sigmaSpace {SPACE}, sigmaColor {COLOUR}, d from sigmaSpace",
    DEMO,
    _joint_bilateral,
    part="ximgproc.jointBilateralFilter",
)
GUIDED = Peer(
    "guided-filter",
    "radius 60, eps 1e-6 on colours in 0..1",
    "He, Sun and Tang's guided feathering",
    _guided,
    part="ximgproc.guidedFilter",
)
GUIDED_DEMO = Peer(
    "guided-filter-demo",
    f"radius {SPACE}, eps {COLOUR}^2 on colours in 0..255",
    DEMO,
    _guided_demo,
    part="ximgproc.guidedFilter",
)
DOMAIN_TRANSFORM = Peer(
    "domain-transform",
    "normalised convolution, sigma_s 60, sigma_r 0.4 on colours in 0..1, 3 iterations",
    "Gastal and Oliveira's own code",
    _domain_transform,
    part="ximgproc.dtFilter",
)
DOMAIN_TRANSFORM_DEMO = Peer(
    "domain-transform-demo",
    f"normalised convolution, sigmaSpatial {SPACE}, sigmaColor {COLOUR} on colours in 0..255, 3 iterations",
    DEMO,
    _domain_transform_demo,
    part="ximgproc.dtFilter",
)
