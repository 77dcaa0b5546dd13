"""Many small objects of one picture: which of them the network may see at once, and in which tiles.

Those of one sheet do not touch, so that each pixel of what was seen belongs to the nearest of them. An object is taken
from one tile, in which it lies with all that would be seen of it alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box, around
from spnrefine.model.framing import MOST_ENLARGED
from spnrefine.refiner.box import seen_box

TINY_SIDE, MOST_SIDE = 14, 96
"""Pixels of the longer side of an object's box: shorter ones are tiny, and enlarged as they are alone; longer ones are
always seen alone."""
MANY = 16
"""Tiny or small objects in a picture: fewer are seen alone."""
GAP = 6
"""Pixels between two objects of one sheet, at least: of those that are nearer the network would make one."""
WELL_SEEN = 48
"""Pixels of an object's longer side that are enough: where most objects are larger the picture is shrunk to this,"""
LEAST_SCALE = 0.75
"""but to no less than this share."""
TILE = 448
"""Pixels of a tile's longer side, at most, as the network sees it."""
GRAIN = 64
"""Pixels: the network sees sides that are multiples of this. Of few shapes less memory is held."""


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of a picture.

    Attributes
    ----------
    size : (H, W) of the picture.
    boxes : of the objects, tight.
    coarse : returns the mask of the object at a position in its :meth:`seen` box, (h, w) float32 in 0..1.
    """

    size: tuple[int, int]
    boxes: Sequence[Box]
    coarse: Callable[[int], NDArray[np.float32]]

    def seen(self, position: int) -> Box:
        """Return what is seen of the picture where an object is seen alone, and no farther it may change."""
        return seen_box(self.boxes[position], *self.size)


@dataclass(frozen=True)
class Tile:
    """A rectangle that the network sees at once.

    Attributes
    ----------
    box : of the picture.
    scale : at which it is seen.
    own, shown : positions of the objects that are taken from it; of these and others that are to be seen in it.
    """

    box: Box
    scale: float
    own: tuple[int, ...]
    shown: tuple[int, ...]


def small_ones(objects: Objects) -> list[tuple[float, list[int]]]:
    """Return the positions of tiny and of small objects, where there are many, and the scale at which they are seen."""
    sides = [(box.longer, at) for at, box in enumerate(objects.boxes)]
    tiny = [at for side, at in sides if 0 < side < TINY_SIDE]
    small = [at for side, at in sides if TINY_SIDE <= side <= MOST_SIDE]
    found = [(MOST_ENLARGED, tiny)] if len(tiny) >= MANY else []
    if len(small) >= MANY:
        usual = median([objects.boxes[at].longer for at in small])
        found.append((min(1.0, max(LEAST_SCALE, WELL_SEEN / usual)), small))
    return found


def tiles(objects: Objects, positions: Sequence[int], scale: float = 1.0) -> list[Tile]:
    """Part objects into sheets, and cover those in tiles; an object that would be alone in its tile is in none."""
    return [tile for sheet in sheets(objects, positions) for tile in _cover(objects, sheet, scale) if len(tile.own) > 1]


def sheets(objects: Objects, positions: Sequence[int]) -> list[list[int]]:
    """Part objects, by their positions, into sheets, of which each holds none that are nearer than `GAP`.

    It is a greedy colouring, of those with the most neighbours first (Welsh and Powell, "An upper bound for the
    chromatic number of a graph", 1967).
    """
    near = _neighbours(objects, positions)
    sheet_of: dict[int, int] = {}
    for one in sorted(positions, key=lambda one: -len(near[one])):
        taken = {sheet_of[other] for other in near[one] if other in sheet_of}
        sheet_of[one] = next(sheet for sheet in range(len(taken) + 1) if sheet not in taken)
    found: list[list[int]] = [[] for _ in range(max(sheet_of.values(), default=-1) + 1)]
    for one in positions:
        found[sheet_of[one]].append(one)
    return found


def _neighbours(objects: Objects, positions: Sequence[int]) -> dict[int, set[int]]:
    """Find for each object those that are nearer than `GAP`, or that it overlaps."""
    near: dict[int, set[int]] = {one: set() for one in positions}
    inside = {one: objects.coarse(one) > 0.5 for one in positions}
    boxes = np.array([objects.boxes[one] for one in positions], np.int64).reshape(-1, 4)
    order = np.argsort(boxes[:, 0], kind="stable")
    top, bottom, left, right = boxes[order].T
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * GAP + 1, 2 * GAP + 1))
    for place, one in enumerate(np.asarray(positions)[order].tolist()):
        later = slice(place + 1, int(np.searchsorted(top, bottom[place] + GAP, side="right")))
        beside = (left[later] <= right[place] + GAP) & (right[later] >= left[place] - GAP)
        others = np.asarray(positions)[order[later][beside]].tolist()
        if not others:
            continue
        grown, here = cv2.dilate(inside[one].view(np.uint8), disc).view(np.bool_), objects.seen(one)
        for other in others:
            there = objects.seen(other)
            both = here.cut(there)
            if (grown[both.inside(here).slices] & inside[other][both.inside(there).slices]).any():
                near[one].add(other)
                near[other].add(one)
    return near


def _cover(objects: Objects, sheet: Sequence[int], scale: float) -> list[Tile]:
    """Put tiles on a sheet, from its top down, each as far left as objects are that none holds."""
    side = int(TILE / scale)
    seen = {one: objects.seen(one) for one in sheet}
    boxes = np.array([seen[one] for one in sheet], np.int64)
    left_over = np.lexsort((boxes[:, 2], boxes[:, 0]))
    found = []
    while len(left_over):
        top, bottom, left, right = boxes[left_over].T
        row = bottom <= top[0] + side
        own = row & (right <= left[row].min() + side)
        taken = tuple(sheet[at] for at in left_over[own].tolist())
        left_over = left_over[~own]
        box = _rounded(around([seen[one] for one in taken]), objects.size, scale)
        across = (
            (boxes[:, 0] < box.bottom) & (boxes[:, 1] > box.top) & (boxes[:, 2] < box.right) & (boxes[:, 3] > box.left)
        )
        found.append(Tile(box, scale, taken, tuple(sheet[at] for at in np.flatnonzero(across).tolist())))
    return found


def _rounded(box: Box, size: tuple[int, int], scale: float) -> Box:
    """Grow a box, inside a picture of that size, until the network sees multiples of `GRAIN`, where that can be."""
    height, width = (
        min(max(side, int(math.ceil(side * scale / GRAIN) * GRAIN / scale)), most)
        for side, most in ((box.height, size[0]), (box.width, size[1]))
    )
    top, left = min(box.top, size[0] - height), min(box.left, size[1] - width)
    return Box(top, top + height, left, left + width)
