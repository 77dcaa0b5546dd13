"""Dense CRFs, by pydensecrf, with the settings of three publications.

Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials", NIPS 2011.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spnrefine.evaluate.peers.peer import SURE, Image, Peer, Probability, belief

Floats = NDArray[np.floating]

LEAST = 1e-5  # of a probability before its logarithm: pydensecrf's clip


def negative_log(p: Floats) -> Floats:
    """Return the energy of a probability: pydensecrf's ``unary_from_softmax``."""
    return -np.log(np.clip(p, LEAST, 1))


def _tempered(p: Floats) -> Floats:
    """Return the energy of ``crf_refine`` in R3Net's code, -log p / (1.05 sigmoid(p)), with the clip of the others."""
    return negative_log(p) / (1.05 / (1 + np.exp(-p)))


@dataclass(frozen=True)
class _DenseCrf:
    """One setting: widths of the kernels in pixels and gray levels, their weights, and the mean-field iterations."""

    gaussian_sxy: float
    gaussian_weight: float
    bilateral_sxy: float
    bilateral_srgb: float
    bilateral_weight: float
    iterations: int
    energy: Callable[[Floats], Floats] = negative_log

    def __call__(self, image: Image, coarse: Probability) -> Probability:
        from pydensecrf.densecrf import DenseCRF2D

        height, width = coarse.shape
        p = belief(coarse)
        unary = np.stack([self.energy(1 - p), self.energy(p)]).reshape(2, -1).astype(np.float32)
        crf = DenseCRF2D(width, height, 2)
        crf.setUnaryEnergy(np.ascontiguousarray(unary))
        crf.addPairwiseGaussian(sxy=self.gaussian_sxy, compat=self.gaussian_weight)
        crf.addPairwiseBilateral(
            sxy=self.bilateral_sxy,
            srgb=self.bilateral_srgb,
            rgbim=np.ascontiguousarray(image),
            compat=self.bilateral_weight,
        )
        return np.asarray(crf.inference(self.iterations), np.float32)[1].reshape(height, width)

    def __str__(self) -> str:
        return (
            f"Gaussian sxy {self.gaussian_sxy} compat {self.gaussian_weight}, bilateral sxy {self.bilateral_sxy} "
            f"srgb {self.bilateral_srgb} compat {self.bilateral_weight}, "
            f"iterations {self.iterations}, probability {SURE} where hard"
        )


def _peer(name: str, source: str, crf: _DenseCrf) -> Peer:
    return Peer(name, str(crf), source, crf, "pydensecrf", "pydensecrf2")


EXAMPLE = _peer("dense-crf-example", "pydensecrf's examples/inference.py", _DenseCrf(3, 3, 80, 13, 10, 5))
DEEPLAB = _peer("dense-crf-deeplab", "DeepLab v2, Chen et al., TPAMI 2018", _DenseCrf(1, 3, 67, 3, 4, 10))
SALIENCY = _peer(
    "dense-crf-saliency", "crf_refine of R3Net, Deng et al., IJCAI 2018", _DenseCrf(3, 3, 60, 5, 5, 1, _tempered)
)
