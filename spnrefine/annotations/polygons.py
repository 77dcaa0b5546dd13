"""Masks into polygons and back, in the two ways annotation tools count pixels.

Coordinates are pixel corners throughout: pixel (row r, column c) covers the square from (c, r) to (c + 1, r + 1), and
its centre is (c + 0.5, r + 0.5). What tools disagree on is which pixels a polygon takes:

- `Grid.CORNERS`: those whose centre it holds. COCO, CVAT, Label Studio. Its rings run along pixel edges.
- `Grid.CENTRES`: those that its vertices, truncated to whole pixels, enclose, the pixels on the line too. LabelMe (as
  Pillow draws) and YOLO (as OpenCV draws). Its rings run through the centres of the outermost pixels.

A mask traced and filled on the same grid comes back exactly at tolerance 0, and within the tolerance otherwise.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.items import Size
from spnrefine.boxes.box import Box
from spnrefine.boxes.boxed import Boxed

Ring = NDArray[np.float64]
"""(N, 2) x and y of a closed line's vertices, N at least 3, the first not repeated."""

_AT_ONCE = 4_000_000  # crossings of lines and pixel rows held in memory at a time


class Grid(Enum):
    """Which pixels a polygon takes; see above."""

    CORNERS = "corners"
    CENTRES = "centres"


@dataclass(frozen=True, eq=False)
class Part:
    """A connected part of a mask: its outline, and the outlines of its holes, which run the other way round."""

    outer: Ring
    holes: list[Ring]

    @property
    def rings(self) -> list[Ring]:
        return [self.outer, *self.holes]


def trace(mask: Boxed, *, tolerance: float, grid: Grid) -> list[Part]:
    """Trace a mask's parts (8-connected) and their holes (4-connected), from the bottom up.

    Parameters
    ----------
    mask : of bools.
    tolerance : how far, in pixels, a ring may leave the mask's edge to do with fewer vertices (Douglas and Peucker).
        Rings too small for it are kept whole, so that no part or hole is lost.
    """
    mask = mask.tight()
    if not mask.box.height:
        return []
    picture = mask.pixels.astype(np.uint8)
    scale, shift = 1.0, 0.5
    if grid is Grid.CORNERS:
        # OpenCV's contours run through pixels, not along them. On a lattice that has a point for each corner, edge and
        # centre of a pixel, with all of a pixel's points set, the outermost points are the corners.
        lattice = np.zeros((2 * picture.shape[0] + 1, 2 * picture.shape[1] + 1), np.uint8)
        lattice[1::2, 1::2] = picture
        picture = cv2.dilate(lattice, np.ones((3, 3), np.uint8)).astype(np.uint8)
        scale, shift = 2.0, 0.0
    contours, hierarchy = cv2.findContours(picture, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    corner = np.array([mask.box.left, mask.box.top]) + shift
    rings = [_simplify(np.asarray(contour), tolerance * scale) / scale + corner for contour in contours]
    parents = np.asarray(hierarchy).reshape(-1, 4)[:, 3]
    parts = {
        index: Part(ring, []) for index, (ring, parent) in enumerate(zip(rings, parents, strict=True)) if parent < 0
    }
    for ring, parent in zip(rings, parents, strict=True):
        if parent >= 0:
            parts[parent].holes.append(ring)
    return list(parts.values())


def fill(ring: Ring, size: Size, *, grid: Grid) -> Boxed:
    """Fill one ring in a picture of ``size``, with bools.

    It is even-odd where the ring crosses itself, so bridges there and back take nothing; on `Grid.CENTRES` they take
    the pixels on their line.
    """
    if grid is Grid.CORNERS:
        return _fill_corners(ring, size)
    points = np.trunc(ring).astype(np.int32)
    box = _box_of(points, size)
    canvas = np.zeros((box.height, box.width), np.uint8)
    if canvas.size:
        cv2.fillPoly(canvas, [points - np.array([box.left, box.top], np.int32)], 1)
    return Boxed(size, box, canvas.astype(np.bool_))


def _box_of(points: NDArray[Any], size: Size) -> Box:
    """Return the pixels of a picture that lie between any two of (N, 2) points."""
    (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.floor(points.max(axis=0)) + 1
    return Box(int(top), int(bottom), int(left), int(right)).cut(Box(0, size[0], 0, size[1]))


def _simplify(contour: NDArray[Any], tolerance: float) -> Ring:
    simple = cv2.approxPolyDP(contour, tolerance, True) if tolerance > 0 else contour
    points = (simple if len(simple) >= 3 else contour).reshape(-1, 2)
    # one or two pixels have fewer than three centres
    return np.concatenate([points, points[[-1] * max(0, 3 - len(points))]]).astype(np.float64)


def _fill_corners(ring: Ring, size: Size) -> Boxed:
    """Count, for each pixel, the lines that cross its row's middle to the left of its centre: odd is inside."""
    box = _box_of(ring, size)
    crossings = np.zeros((box.height, box.width + 1), np.uint8)
    edges = np.concatenate([ring, np.roll(ring, -1, axis=0)], axis=1)
    edges = edges[edges[:, 1] != edges[:, 3]]
    step = max(1, _AT_ONCE // max(box.height, 1))
    for begin in range(0, len(edges), step):
        x0, y0, x1, y1 = edges[begin : begin + step].T
        first = np.clip(np.ceil(np.minimum(y0, y1) - 0.5), box.top, box.bottom).astype(np.int64)
        count = np.clip(np.ceil(np.maximum(y0, y1) - 0.5), box.top, box.bottom).astype(np.int64) - first
        edge = np.repeat(np.arange(len(count)), count)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
        x = x0[edge] + (row + 0.5 - y0[edge]) * ((x1 - x0) / (y1 - y0))[edge]
        column = np.clip(np.ceil(x - 0.5), box.left, box.right).astype(np.int64)
        np.add.at(crossings, (row - box.top, column - box.left), 1)  # wraps at 256, which is even
    np.add.accumulate(crossings, axis=1, out=crossings)
    return Boxed(size, box, (crossings[:, :-1] & 1).astype(np.bool_))
