"""Masks drawn again by hand: as a polygon with few corners, or with a round brush along the inside."""

import cv2
import numpy as np
from numpy.typing import NDArray

STEP_SPAN = (0.6, 1.5)  # between two dabs of the brush, in radii
UNSTEADY = 0.12  # standard deviation of where a dab goes, in radii
PRESSURE = (0.85, 1.12)  # radius of a dab, in radii


def polygon_version(mask: NDArray[np.bool_], tolerance: float, *, fill: bool) -> NDArray[np.bool_]:
    """Redraw ``mask`` as somebody who clicks polygons would.

    Parameters
    ----------
    mask : (H, W) bool.
    tolerance : how far the polygon may stray from the contour, pixels (Douglas-Peucker).
    fill : whether holes are left out.

    Returns
    -------
    (H, W) bool; parts smaller than the tolerance vanish, but the mask is never empty unless ``mask`` is.
    """
    mode = cv2.RETR_EXTERNAL if fill else cv2.RETR_CCOMP
    contours, _ = cv2.findContours(mask.astype(np.uint8), mode, cv2.CHAIN_APPROX_NONE)
    simple = [cv2.approxPolyDP(contour, tolerance, True) for contour in contours]
    kept = [polygon for polygon in simple if len(polygon) > 2]
    if not kept:
        return mask
    drawn = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(drawn, kept, -1, 1, cv2.FILLED)  # even-odd: a contour within another one is its hole
    return drawn.astype(bool)


def brush_version(mask: NDArray[np.bool_], radius: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Redraw ``mask`` as somebody with a round brush and little time would.

    Dabs follow the contour from within, a radius from it, further apart than they should be; what lies inside is
    filled. What is thinner than the brush is missed.

    Parameters
    ----------
    mask : (H, W) bool, not empty.
    radius : of the brush, pixels; a smaller one is taken where the mask would hardly be touched.

    Returns
    -------
    (H, W) bool, never empty.
    """
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    radius = max(1.0, min(radius, 0.9 * float(np.percentile(depth[mask], 85))))
    core = (depth >= radius).astype(np.uint8)
    if not core.any():
        return mask
    drawn = core.copy()
    step = radius * rng.uniform(*STEP_SPAN)
    contours, _ = cv2.findContours(core, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for contour in contours:
        dabs = contour[:: max(1, round(step)), 0]
        where = dabs + rng.normal(0, UNSTEADY * radius, dabs.shape)
        for (x, y), size in zip(where, radius * rng.uniform(*PRESSURE, len(dabs)), strict=True):
            cv2.circle(drawn, (round(x), round(y)), max(1, round(size)), 1, cv2.FILLED)
    return drawn.astype(bool)
