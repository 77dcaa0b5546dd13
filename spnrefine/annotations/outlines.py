"""What outlines of polygons may be, before they are handed to OpenCV and pycocotools to be filled.

These trust the numbers that they are given: they reserve memory and take time by an outline's length, whatever of it
lies in the picture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spnrefine.annotations.items import Size
from spnrefine.errors import FileError

MAX_EXCESS = 4
"""Coordinates further from the photograph than this many times its longer side are no annotation, but an accident."""


MAX_COORDINATE = 10_000_000
MAX_POINTS = 1_000_000
MAX_LENGTH = 5_000_000
"""Of the outlines of one mask together, in pixels; on a small photograph less, see `longest`."""
MIN_LENGTH = 100_000


def longest(size: Size) -> int:
    """Return how long the outlines of a mask may be: four times as long as all edges between the pixels together."""
    return min(MAX_LENGTH, max(MIN_LENGTH, 8 * size[0] * size[1]))


def check_points(name: str, points: NDArray[np.float64], size: Size) -> NDArray[np.float64]:
    """Refuse (N, 2) points that are no polygon or lie far outside a photograph of ``size``."""
    if len(points) < 3:
        raise FileError(f"{name} is a polygon of {len(points)} points, which encloses nothing: at least 3 are needed.")
    if not np.abs(points).max() <= min(MAX_EXCESS * max(size), MAX_COORDINATE):
        what = f"has a point far outside its photograph of {size[1]} x {size[0]} pixels"
        raise FileError(f"{name} {what}: correct it, or give the photograph it belongs to.")
    check_length(name, [points], size)
    return points


def check_in_pixels(name: str, rings: Sequence[NDArray[np.float64]], size: Size) -> None:
    """Refuse the rings of a mask, each of (N, 2) points, that are all fractions up to 1, as shares of the sides are."""
    points = np.concatenate(rings)
    if max(size) > 1 and points.min() >= 0 and points.max() <= 1 and bool((points % 1 > 0).any()):
        what = f"lies within one pixel of its photograph of {size[1]} x {size[0]}, as shares of width and height do"
        raise FileError(f"{name} {what}: convert its points to pixels.")


def check_length(name: str, rings: Sequence[NDArray[np.float64]], size: Size) -> None:
    """Refuse rings, each of (N, 2) points, that together are longer than any outline on a photograph of ``size``."""
    count = sum(len(ring) for ring in rings)
    if count > MAX_POINTS:
        raise FileError(f"{name} has outlines of {count} points, and at most {MAX_POINTS} are read: simplify it.")
    length = sum(float(np.abs(np.diff(ring, axis=0, append=ring[:1])).max(axis=1).sum()) for ring in rings)
    if length > longest(size):
        most = f"on {size[1]} x {size[0]} pixels at most {longest(size)} are read"
        what = f"has outlines {length:.0f} pixels long, and {most}"
        raise FileError(f"{name} {what}: simplify it.")
