"""What the network that makes mattes is shown of each pixel: the photograph, both masks, and alphas found in passing.

No torch here: training and inference share it.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.model.laplacian import solved, windows

RED, GREEN, BLUE, COARSE, REFINED, DISTANCE, PROJECTED, CONTRAST, RESIDUAL, GUIDED_NEAR, GUIDED_FAR = range(11)
SOLVED_NEAR, SOLVED_FAR = 11, 12
CHANNELS = 13
CANDIDATES = COARSE, REFINED, PROJECTED, GUIDED_NEAR, GUIDED_FAR, SOLVED_NEAR, SOLVED_FAR
"""The channels that are alphas themselves."""
REACH = 16.0
"""Distances from the refined contour are cut off here, in pixels."""
SURROUND = 64
"""Pixels around a tile that must be seen for its middle to come out as without the tile's borders."""
_SURE = 12.0  # pixels inside or outside the contour at which a colour counts fully as the object's or what lies behind
_SPREAD = 21  # side of the box, applied three times, over which colours are averaged
_NEAR, _FAR, _EPSILON = 4, 12, 1e-4  # radii of the guided filter in pixels, and its regularisation (of 0..1 squared)
_DOUBT = 4.0, 8.0  # pixels from the contour over which a refined probability is more and more taken for 0 or 1,
_WRONG = 6.0, 12.0  # and a coarse mask that contradicts it for wrong
_BANDS = (SOLVED_NEAR, 6.0, 10), (SOLVED_FAR, 12.0, 15)  # pixels on either side in which alpha is solved for; steps


def matte_inputs(
    image: NDArray[np.uint8], coarse: NDArray[np.float32], refined: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (CHANNELS, H, W) float32 in 0..1.

    Colours of the object and of what lies behind it are averaged on either side of the refined contour; a pixel
    projected on the line between the two gives one alpha (and how long the line is, and how far off the pixel lies,
    say what it is worth), the guided filter of the refined mask two others.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB. coarse, refined : (H, W) float32 in 0..1.

    Notes
    -----
    He, Sun, Tang, "Guided Image Filtering", ECCV 2010.
    """
    colour = np.divide(image, 255, dtype=np.float32)
    inside = refined > 0.5
    depth = signed_distance(inside)
    hard = inside.astype(np.float32)
    # far from its contour a probability of 0.3 is doubt, and no pixel of which the object covers 0.3
    refined = hard + _fading(depth, *_DOUBT) * (refined - hard)
    # and what came in is wrong there, where it lies on the other side
    coarse = np.where((coarse > 0.5) == inside, coarse, hard + _fading(depth, *_WRONG) * (coarse - hard))
    planes = np.empty((CHANNELS, *inside.shape), np.float32)
    planes[: BLUE + 1] = colour.transpose(2, 0, 1)
    planes[COARSE], planes[REFINED] = coarse, refined
    planes[DISTANCE] = (np.clip(depth / REACH, -1, 1) + 1) / 2
    front, behind = _mean_colour(colour, depth), _mean_colour(colour, -depth)
    line = front - behind
    length = (line * line).sum(2)
    share = np.clip(((colour - behind) * line).sum(2) / (length + 2e-3), 0, 1)
    planes[PROJECTED], planes[CONTRAST] = share, np.minimum(np.sqrt(length), 1)
    off = colour - behind - share[..., None] * line
    planes[RESIDUAL] = np.minimum(np.sqrt((off * off).sum(2)) * 2, 1)
    for channel, radius in ((GUIDED_NEAR, _NEAR), (GUIDED_FAR, _FAR)):
        planes[channel] = np.clip(cv2.ximgproc.guidedFilter(colour, hard, radius, _EPSILON), 0, 1)
    seen = windows(colour)
    for channel, band, steps in _BANDS:
        unknown = np.abs(depth) < band
        planes[channel] = solved(seen, np.where(unknown, refined, hard), unknown, steps)
    return planes


def signed_distance(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the distance of each pixel's centre from the contour: pixels, positive inside, (H, W) float32."""
    inner, outer = _distance(inside), _distance(~inside)
    return np.where(inside, inner - 0.5, 0.5 - outer).astype(np.float32)


def _fading(depth: NDArray[np.float32], near: float, far: float) -> NDArray[np.float32]:
    return np.clip((far - np.abs(depth)) / (far - near), 0, 1)


def _distance(inside: NDArray[np.bool_]) -> NDArray[Any]:
    return np.asarray(cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5))


def _mean_colour(colour: NDArray[np.float32], depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average (H, W, 3) over where ``depth`` is positive, the deeper the more."""
    weight = np.clip(depth / _SURE, 1e-5, 1) ** 2
    sums = np.dstack([colour * weight[..., None], weight])
    for _ in range(3):
        sums = np.asarray(cv2.blur(sums, (_SPREAD, _SPREAD), borderType=cv2.BORDER_REFLECT), np.float32)
    return sums[..., :3] / np.maximum(sums[..., 3:], 1e-12)
