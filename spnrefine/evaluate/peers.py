"""Other refiners, each with its published default parameters, behind one signature.

They need the extra ``peers`` (``pip install 'spnrefine[peers]'``).
"""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

Peer = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.float32]]
"""(H, W, 3) uint8 photograph and (H, W) float32 coarse probability to (H, W) float32 refined probability."""

SURE = 0.7  # how far a hard mask is believed: ``gt_prob`` of pydensecrf's example


def available() -> dict[str, Peer]:
    """Return the peers that can run here, by name."""
    if find_spec("pydensecrf") is None:
        return {}
    return {"dense CRF, pydensecrf's example": dense_crf_example, "dense CRF, DeepLab": dense_crf_deeplab}


def dense_crf_example(image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
    """Dense CRF with the settings of ``examples/inference.py`` of pydensecrf: 5 iterations.

    Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials", NIPS 2011.
    """
    return _dense_crf(image, coarse, gaussian=(3, 3), bilateral=(80, 13, 10), iterations=5)


def dense_crf_deeplab(image: NDArray[np.uint8], coarse: NDArray[np.float32]) -> NDArray[np.float32]:
    """Dense CRF with the settings DeepLab v2 was published with on PASCAL VOC: 10 iterations.

    Chen et al., "DeepLab", TPAMI 2018.
    """
    return _dense_crf(image, coarse, gaussian=(1, 3), bilateral=(67, 3, 4), iterations=10)


def _dense_crf(
    image: NDArray[np.uint8],
    coarse: NDArray[np.float32],
    *,
    gaussian: tuple[float, float],  # sxy, compat
    bilateral: tuple[float, float, float],  # sxy, srgb, compat
    iterations: int,
) -> NDArray[np.float32]:
    from pydensecrf.densecrf import DenseCRF2D
    from pydensecrf.utils import unary_from_softmax

    height, width = coarse.shape
    hard = not ((coarse > 0) & (coarse < 1)).any()
    probability = np.where(coarse > 0.5, SURE, 1 - SURE) if hard else coarse
    softmax = np.stack([1 - probability, probability]).astype(np.float32)
    crf = DenseCRF2D(width, height, 2)
    crf.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(softmax)))
    crf.addPairwiseGaussian(sxy=gaussian[0], compat=gaussian[1])
    crf.addPairwiseBilateral(
        sxy=bilateral[0], srgb=bilateral[1], rgbim=np.ascontiguousarray(image), compat=bilateral[2]
    )
    return np.asarray(crf.inference(iterations), np.float32)[1].reshape(height, width)
