"""Alpha by the matting Laplacian: what a photograph says of the pixels along a contour whose either side is known."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

RADIUS = 3
"""Of the windows in which alpha is taken for linear in the colours, in pixels."""
_EPSILON = 1e-5  # the linear model's regularisation, of colours in 0..1 squared
_PULL = 0.005  # towards where it starts from, so that flat colours do not decide by noise

_PAIRS = (0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)  # of colours, in the order of a triangle
_ROWS = (0, 1, 2), (1, 3, 4), (2, 4, 5)  # where the rows of a symmetric matrix stand in its triangle

Plane = NDArray[Any]
"""(H, W) float32."""


class Windows(NamedTuple):
    """The colours' statistics in the windows around each pixel, which all solutions of one photograph share."""

    colours: tuple[Plane, ...]  # three, less their means
    pixels: Plane  # of the window that lie in the picture
    share: Plane  # one over these
    means: tuple[Plane, ...]  # three
    inverse: tuple[Plane, ...]  # of the covariance: six, its upper triangle by rows


def windows(colour: NDArray[np.float32]) -> Windows:
    """Prepare the windows of a photograph (H, W, 3) in 0..1."""
    planes = [plane - plane.mean() for plane in np.moveaxis(colour, 2, 0).astype(np.float64)]
    pixels = _sums(np.ones(colour.shape[:2]))
    means = [_sums(plane) / pixels for plane in planes]
    covariances = [
        _sums(planes[one] * planes[other]) / pixels - means[one] * means[other] + (_EPSILON if one == other else 0.0)
        for one, other in _PAIRS
    ]
    inverse = _inverse(*covariances)
    count, share = _single([pixels, 1 / pixels])
    return Windows(_single(planes), count, share, _single(means), _single(inverse))


def _single(planes: list[NDArray[Any]]) -> tuple[Plane, ...]:
    return tuple(plane.astype(np.float32) for plane in planes)


def _inverse(a: Plane, b: Plane, c: Plane, d: Plane, e: Plane, f: Plane) -> list[Plane]:
    """Invert symmetric matrices of 3 x 3, each given by six planes: its upper triangle by rows."""
    adjugate = d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * adjugate[0] + b * adjugate[1] + c * adjugate[2]
    return [plane / determinant for plane in adjugate]


def solved(seen: Windows, start: Plane, unknown: NDArray[np.bool_], steps: int) -> Plane:
    """Solve for alpha (H, W) in 0..1 by conjugate gradients.

    Parameters
    ----------
    seen : of the photograph. start : (H, W) in 0..1, kept where alpha is known. unknown : (H, W).
    steps : of the conjugate gradients; fewer keep nearer to ``start``.

    Notes
    -----
    He, Sun, Tang, "Fast Matting Using Large Kernel Matting Laplacian Matrices", CVPR 2010; Levin, Lischinski, Weiss,
    "A Closed Form Solution to Natural Image Matting", CVPR 2006.
    """
    free = unknown.astype(np.float32)
    pull = _PULL * seen.pixels
    alpha = start.astype(np.float32)
    left = -_times_laplacian(seen, alpha) * free
    towards, length = left.copy(), _dot(left, left)
    least = 1e-8 * length
    for _ in range(steps):
        if length <= least:
            break
        way = (_times_laplacian(seen, towards) + pull * towards) * free
        far = length / _dot(towards, way)
        alpha += far * towards
        left -= far * way
        length, before = _dot(left, left), length
        towards = left + (length / before) * towards
    return np.clip(alpha, 0, 1)


def _times_laplacian(seen: Windows, plane: Plane) -> Plane:
    """Multiply by the matting Laplacian: each pixel less what the linear models of its windows make of it."""
    middle = _sums(plane) * seen.share
    apart = [
        _sums(colour * plane) * seen.share - mean * middle
        for colour, mean in zip(seen.colours, seen.means, strict=True)
    ]
    result, constant = seen.pixels * plane, middle
    for row, colour, mean in zip(_ROWS, seen.colours, seen.means, strict=True):
        slope = sum(seen.inverse[at] * each for at, each in zip(row, apart, strict=True))
        constant = constant - slope * mean
        result -= _sums(slope) * colour
    return np.asarray(result - _sums(constant))


def _sums(plane: Plane) -> Plane:
    side = 2 * RADIUS + 1
    return np.asarray(cv2.boxFilter(plane, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT))


def _dot(one: Plane, other: Plane) -> float:
    return float(np.vdot(one, other))
