"""Coarse masks made of good ones, in the ways in which people and networks make them."""

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]
Maker = Callable[[Bits, np.random.Generator], NDArray[np.float32]]
"""Makes a coarse mask (H, W), float32 in 0..1, of a good one (H, W), bool, that is not empty."""

CELL = 0.05, 0.14  # of a low resolution
TOLERANCE = 0.01, 0.035  # of a polygon
RADIUS = 0.1  # of a brush
WARP = 0.01, 0.04  # by which an edge strays
DABS = 60  # of a brush


def low_resolution(good: Bits, rng: np.random.Generator) -> NDArray[np.float32]:
    """Average over cells, and bring back bilinearly."""
    height, width = good.shape
    cell = max(2.0, _drawn(CELL, rng) * _size(good))
    small = (max(1, round(width / cell)), max(1, round(height / cell)))
    cells = cv2.resize(good.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    return np.clip(cv2.resize(cells, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1).astype(np.float32)


def hard_low_resolution(good: Bits, rng: np.random.Generator) -> NDArray[np.float32]:
    """Cut such a mask at a half."""
    return (low_resolution(good, rng) > 0.5).astype(np.float32)


def polygon(good: Bits, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw polygons around parts and holes."""
    tolerance = max(1.0, _drawn(TOLERANCE, rng) * _size(good))
    contours, _ = cv2.findContours(good.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    corners = [each for each in (cv2.approxPolyDP(one, tolerance, True) for one in contours) if len(each) > 2]
    drawn = np.zeros(good.shape, np.uint8)
    cv2.drawContours(drawn, corners, -1, 1, cv2.FILLED)
    return drawn.astype(np.float32)


def brushed(good: Bits, rng: np.random.Generator) -> NDArray[np.float32]:
    """Dab at each part with a round brush, over its edge here and there."""
    drawn = np.zeros(good.shape, np.uint8)
    count, numbers = cv2.connectedComponents(good.astype(np.uint8))
    for number in range(1, count):
        part = (numbers == number).astype(np.uint8)
        radius = max(2, int(RADIUS * math.sqrt(int(part.sum()))))
        side = 2 * max(1, int(0.7 * radius)) + 1
        inner = cv2.erode(part, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        rows, columns = np.nonzero(inner if inner.any() else part)
        for place in rng.integers(len(rows), size=DABS):
            cv2.circle(drawn, (int(columns[place]), int(rows[place])), radius, 1, cv2.FILLED)
    return drawn.astype(np.float32)


def warped(good: Bits, rng: np.random.Generator) -> NDArray[np.float32]:
    """Bend and shift."""
    height, width = good.shape
    far = _drawn(WARP, rng) * _size(good)
    bends = [
        cv2.resize(rng.normal(size=(6, 6)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    ]
    across, down = (far * (bend + rng.normal() / 2) for bend in bends)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    looked_up = cv2.remap(
        good.astype(np.float32),
        (columns + across).astype(np.float32),
        (rows + down).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return (looked_up > 0.5).astype(np.float32)


MAKERS: dict[str, Maker] = {
    "low resolution": low_resolution,
    "low resolution, hard": hard_low_resolution,
    "polygon": polygon,
    "brush": brushed,
    "warped": warped,
}


def _size(good: Bits) -> float:
    """Return the root of the mean area of a mask's parts, in pixels: all lengths are shares of it."""
    parts = cv2.connectedComponents(good.astype(np.uint8), connectivity=8)[0] - 1
    return math.sqrt(int(good.sum()) / max(parts, 1))


def _drawn(span: tuple[float, float], rng: np.random.Generator) -> float:
    least, most = np.log(span)
    return float(np.exp(rng.uniform(least, most)))
