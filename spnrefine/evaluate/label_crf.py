"""A dense CRF over the classes of a label map, to compare with."""

import numpy as np
from numpy.typing import NDArray

# DeepLab v2's on PASCAL VOC: Chen et al., TPAMI 2018
DEEPLAB_GAUSSIAN = 1, 3  # sxy, compat
DEEPLAB_BILATERAL = 67, 3, 4  # sxy, srgb, compat
DEEPLAB_ITERATIONS = 10


def dense_crf(image: NDArray[np.uint8], probability: NDArray[np.float32]) -> NDArray[np.float32]:
    """Refine the probabilities (K, H, W) of classes along an image (H, W, 3) with the settings of DeepLab v2.

    Krähenbühl and Koltun, NIPS 2011; needs the extra ``peers``.
    """
    from pydensecrf.densecrf import DenseCRF2D
    from pydensecrf.utils import unary_from_softmax

    count, height, width = probability.shape
    crf = DenseCRF2D(width, height, count)
    crf.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(probability)))
    crf.addPairwiseGaussian(sxy=DEEPLAB_GAUSSIAN[0], compat=DEEPLAB_GAUSSIAN[1])
    crf.addPairwiseBilateral(
        sxy=DEEPLAB_BILATERAL[0],
        srgb=DEEPLAB_BILATERAL[1],
        compat=DEEPLAB_BILATERAL[2],
        rgbim=np.ascontiguousarray(image),
    )
    return np.asarray(crf.inference(DEEPLAB_ITERATIONS), np.float32).reshape(count, height, width)
