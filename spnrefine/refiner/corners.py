"""A polygon's corners lie on the contour: people click there, and programs that simplify a contour keep its points.

A network that was shown the polygon as a mask does not hold to that. Here its log odds are shifted by a smooth field so
that its contour passes the corners again, as closely as they seem to be right: kernel regression (Nadaraya, "On
Estimating Regression", 1964; Watson, "Smooth Regression Analysis", 1964) of the log odds on the corners, drawn towards
none by a noise.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box, bounding_box
from spnrefine.boxes.ids import strips
from spnrefine.boxes.where import above
from spnrefine.refiner.kinds import FINE, LEAST_CORNERS

Points = NDArray[np.int32]
"""(N, 2) x and y of pixels."""

REACH = 3  # pixels: how far around a corner the log odds are looked at
BLUR = 1.2  # pixels: the standard deviation of their weights
SUREST = 0.0025  # probabilities nearer to 0 or 1 count as this, or as its complement
MOST = 5.0  # log odds by which they are shifted at most
SPREAD = 0.35  # the field's standard deviation around a corner, of the median side
LEAST_SPREAD = 3.0  # pixels
LEAST_NOISE = 0.1
FAR = 3.5  # log odds of the median corner: of more, the polygon may lie elsewhere
CELLS = 2.5  # of the field's grid, for one standard deviation
BEYOND = 4.0  # standard deviations beyond the outermost corners, where the field ends


def through_corners(coarse: NDArray[np.float32], refined: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shift the contour of what was ``refined`` to where the corners of a polygon say that it passes.

    How far they are believed, the mask says itself. The log odds at the corners (their upper decile) grow with how far
    these lie off the contour that the network sees, and how far corners stand out from the line between their
    neighbours (the lower decile, in pixels) with how coarse the polygon is; where people click roughly the first is
    large for the second. Where half of the corners lie far off, the polygon may lie elsewhere, and nothing is shifted.
    Corners at the border of the picture say nothing, as the object is cut off there, nor do those of upright boxes,
    which are drawn around objects.

    Parameters
    ----------
    coarse : (H, W) float32 in 0..1, or bool: a mask of kind ``polygon`` (:data:`~spnrefine.refiner.kinds.KINDS`).
    refined : (H, W) float32 in 0..1, what a network made of it.

    Returns
    -------
    ``refined``, changed in place near the corners; 0 and 1 stay what they are.
    """
    box = bounding_box(above(coarse, 0.5))
    if box is None:
        return refined
    rings = corners_of(np.ascontiguousarray(above(coarse[box.slices], 0.5)), (box.left, box.top))
    telling = [ring[_clear(ring, *refined.shape) & ~_upright(ring)] for ring in rings]
    corners = np.concatenate(telling) if telling else np.zeros((0, 2), np.int32)
    if not len(corners):
        return refined
    odds = np.concatenate([log_odds_at(each, coarse, refined) for each in telling])
    if np.median(np.abs(odds)) > FAR:
        return refined
    standing_out = max(float(np.quantile(np.concatenate([_standing_out(ring) for ring in rings]), 0.1)), 1.0)
    noise = max((float(np.quantile(np.abs(odds), 0.9)) / standing_out) ** 2, LEAST_NOISE)
    spread = max(SPREAD * float(np.median(np.concatenate([_sides(ring) for ring in rings]))), LEAST_SPREAD)
    return _shift(refined, box.grown(round(BEYOND * spread), *refined.shape), corners, odds, noise, spread)


def corners_of(inside: NDArray[np.bool_], origin: tuple[int, int] = (0, 0)) -> list[Points]:
    """Return the corners of each outline of a mask (H, W), whose first pixel is that at x and y of ``origin``."""
    contours, _ = cv2.findContours(inside.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=origin)
    rings = [cv2.approxPolyDP(contour, FINE, True)[:, 0] for contour in contours]
    return [np.asarray(ring, np.int32) for ring in rings if len(ring) >= LEAST_CORNERS]


def log_odds_at(corners: Points, coarse: NDArray[np.float32], refined: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the log odds (N,) of the edge at corners that are clear of the picture's border, at most :data:`MOST`.

    They are the mean of those inside the polygon and those outside it, as the edge lies between pixels: 0 where the
    contours of ``coarse`` and ``refined`` are one.
    """
    offsets = np.arange(-REACH, REACH + 1)
    x, y = corners.T
    rows, columns = y[:, None, None] + offsets[:, None], x[:, None, None] + offsets
    inside = above(coarse[rows, columns], 0.5)
    probability = np.clip(refined[rows, columns], SUREST, 1 - SUREST)
    odds = np.log(probability / (1 - probability))
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * BLUR**2))

    def mean(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((weights * odds).sum((1, 2)) / np.maximum(weights.sum((1, 2)), np.finfo(float).tiny))

    return np.clip((mean(weights * inside) + mean(weights * ~inside)) / 2, -MOST, MOST)


def _clear(ring: Points, height: int, width: int) -> NDArray[np.bool_]:
    """Mark the corners (N,) around which :data:`REACH` pixels lie in the picture."""
    x, y = ring.T
    return np.asarray((x >= REACH) & (x < width - REACH) & (y >= REACH) & (y < height - REACH))


def _upright(ring: Points) -> NDArray[np.bool_]:
    """Mark the corners (N,) both of whose sides run along rows or columns."""
    along = np.abs(np.roll(ring, -1, 0) - ring).min(axis=1) <= FINE
    return along & np.roll(along, 1)


def _standing_out(ring: Points) -> NDArray[np.float64]:
    """Return how far each corner (N,) lies off the line between its neighbours, in pixels."""
    before, after = np.roll(ring, 1, 0), np.roll(ring, -1, 0)
    (x, y), (u, v) = (after - before).T.astype(np.float64), (ring - before).T.astype(np.float64)
    return np.asarray(np.abs(x * v - y * u) / np.maximum(np.hypot(x, y), 1))


def _sides(ring: Points) -> NDArray[np.float64]:
    """Return how long each side (N,) is, in pixels."""
    return np.hypot(*(np.roll(ring, -1, 0) - ring).T)


def _shift(
    refined: NDArray[np.float32], box: Box, corners: Points, odds: NDArray[np.float64], noise: float, spread: float
) -> NDArray[np.float32]:
    """Take the field from the log odds of ``refined`` within a box, in place."""
    field = _field(box, corners, odds, noise, spread)
    here = refined[box.slices]
    places = (np.arange(box.height) + 0.5) * (len(field) / box.height) - 0.5
    above_each = np.clip(np.floor(places), 0, len(field) - 1).astype(np.intp)
    below_each = np.minimum(above_each + 1, len(field) - 1)
    share = np.clip(places - above_each, 0, 1).astype(np.float32)[:, None]
    for rows in strips(box.height, box.width):
        shift = field[above_each[rows]]
        shift += share[rows] * (field[below_each[rows]] - shift)
        np.exp(shift, out=shift)
        probability = here[rows]
        shift *= 1 - probability
        shift += probability
        np.divide(probability, shift, out=probability)
    return refined


def _field(box: Box, corners: Points, odds: NDArray[np.float64], noise: float, spread: float) -> NDArray[np.float32]:
    """Return the mean log odds of the corners near to each cell of a grid over a box, as wide as the box in pixels."""
    cell = spread / CELLS
    size = max(round(box.height / cell), 1), max(round(box.width / cell), 1)
    x, y = ((corners - (box.left, box.top) + 0.5) / (box.width / size[1], box.height / size[0]) - 0.5).T
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    total, near = np.zeros((2, size[0] + 2, size[1] + 2), np.float32)  # a cell more on each side
    for right, low in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = np.abs(1 - right - (x - left)) * np.abs(1 - low - (y - top))
        at = top + low + 1, left + right + 1
        np.add.at(near, at, share)
        np.add.at(total, at, share * odds)
    at_corner = 2 * np.pi * CELLS**2  # so that a corner counts as one where it is
    total, near = (
        at_corner * cv2.GaussianBlur(each, (0, 0), CELLS, borderType=cv2.BORDER_CONSTANT) for each in (total, near)
    )
    mean = (total / (near + np.float32(noise)))[1:-1, 1:-1]
    return np.asarray(cv2.resize(mean, (box.width, size[0]), interpolation=cv2.INTER_LINEAR), np.float32)
