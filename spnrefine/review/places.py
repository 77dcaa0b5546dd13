"""The places of a contour that are worth a look: where it moved furthest, and where its mask is least sure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.boxed import Boxed
from spnrefine.review.pictures import RGB
from spnrefine.review.thumbnails import HEIGHT, WIDTH, Masks, Thumbnail, crop_box, cut

SIDE_RATIO = 3 / 4
WIDE = 152  # pixels of the photograph across a place, which the page shows as they are
LEAST_MOVE = 2.0  # pixels: what moved less is no place of its own
LEAST_DOUBT = 0.3  # of 4 p (1 - p), mean of a small window on the contour

MOVED, UNSURE = "moved furthest", "least sure"

Place = tuple[str, Thumbnail]


def places(image: RGB, coarse: Masks, refined: Masks, probability: NDArray[np.float32]) -> list[Place]:
    """Cut out at most two places of a contour at the photograph's own resolution, each with why.

    Parameters
    ----------
    image : (H, W, 3).
    coarse, refined : (H, W) bools or ids.
    probability : (H, W) in 0..1, of the object, or of each pixel's id.

    Returns
    -------
    None where the mask's own thumbnail shows all of it so already.
    """
    rows, columns = crop_box(Boxed.whole((coarse != 0) | (refined != 0))).slices
    if columns.stop - columns.start <= WIDTH and rows.stop - rows.start <= HEIGHT:
        return []
    coarse, refined, p = coarse[rows, columns], refined[rows, columns], probability[rows, columns]
    inner = np.ascontiguousarray(image[rows, columns])
    moved = np.maximum(_distance(refined, coarse), _distance(coarse, refined))
    unsure = np.where(_contour(refined), cv2.blur(4 * p * (1 - p), (9, 9)), 0)
    found: list[Place] = []
    for why, score, least in ((MOVED, moved, LEAST_MOVE), (UNSURE, unsure, LEAST_DOUBT)):
        y, x = np.unravel_index(int(score.argmax()), score.shape)
        if score[y, x] < least:
            continue
        box = _around(int(y), score.shape[0], round(WIDE * SIDE_RATIO)), _around(int(x), score.shape[1], WIDE)
        found.append((why, cut(np.ascontiguousarray(inner[box]), coarse[box], refined[box], open_ended=True)))
        unsure[box] = 0  # a second place is another one
    return found


def _distance(of: Masks, to: Masks) -> NDArray[np.float32]:
    """Distance, on the contour of one mask, to that of another; 0 elsewhere, and where there is none to go to."""
    there = _contour(to)
    if not there.any():
        return np.zeros(of.shape, np.float32)
    distance = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(_contour(of), distance, 0).astype(np.float32)


def _contour(mask: Masks) -> NDArray[np.bool_]:
    ids = mask.astype(np.uint16)
    edge = cv2.morphologyEx(ids, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) != 0
    return edge & (ids != 0)


def _around(centre: int, end: int, length: int) -> slice:
    size = min(length, end)
    start = min(max(centre - size // 2, 0), end - size)
    return slice(start, start + size)
