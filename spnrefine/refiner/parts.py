"""The parts of a mask: those that lie close together are seen together, the others each as if it were alone."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import Box
from spnrefine.model.config import Config
from spnrefine.model.framing import MOST_ENLARGED, PRESENT, margin

NEAR = 0.15
"""Parts are seen together where the gap between their boxes is at most this share of the longer side of either,"""
CLOSE = 48
"""or this many pixels: what is small is seen better among its like than alone and enlarged."""
SHRUNK = 0.75
"""Parts are not seen together where they would be seen at less than this of the scale at which either is seen alone."""
TINY, LEAST_FRAME = 32, 128
"""Pixels: what is less long is seen in a frame of at least so many, as the network learns nothing of a smaller one."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The 8-connected parts of a mask, by number from 1 on, and which of them are seen together.

    Attributes
    ----------
    numbers : (H, W) int32, the number of each pixel's part, 0 where there is none; 1 everywhere of a single part.
    boxes : (N, 4) int, top, bottom, left, right of each part; bottom and right are exclusive.
    groups : (N,) int, from 0 on: parts of one group are seen together.
    """

    numbers: NDArray[np.int32]
    boxes: NDArray[np.int64]
    groups: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many groups there are."""
        return int(self.groups.max(initial=-1)) + 1

    @property
    def single(self) -> bool:
        """Whether there is but one part, whose pixels need no numbers."""
        return len(self.groups) == 1

    def frame(self, group: int) -> Box:
        """Return the box of a group, grown by the margin with which the network sees it."""
        top, bottom, left, right = self.boxes[self.groups == group].T
        around = Box(int(top.min()), int(bottom.max()), int(left.min()), int(right.max()))
        least = LEAST_FRAME if around.longer < TINY else 0
        more = max(int(margin(around.longer)), (least - around.longer) // 2)
        return around.grown(more, *self.numbers.shape)

    def longest(self, group: int) -> int:
        """Return the longer side of the largest of a group's parts, in pixels."""
        return int(_longer(self.boxes[self.groups == group]).max())

    def reach(self, group: int, frame: Box) -> NDArray[np.bool_] | None:
        """Mark where in ``frame`` a group may change the mask, (h, w) bool; None where that is everywhere.

        No farther from any of its parts than the margin of the largest, and not where another group's part is nearer.
        """
        if self.single:
            return None
        numbers = self.numbers[frame.slices]
        others = bool(np.any(self.groups[np.unique(numbers[numbers > 0]) - 1] != group))
        own = np.flatnonzero(self.groups == group)
        if len(own) == 1 and not others:
            return None
        near = np.zeros(numbers.shape, bool)
        far = int(margin(self.longest(group)))
        for part in own:
            box = Box(*(int(side) for side in self.boxes[part])).grown(far, *self.numbers.shape)
            near[box.inside(frame).slices] = True
        if others:
            near &= self.groups[nearest(numbers) - 1] == group
        return near


def find_parts(coarse: NDArray[np.float32], working_side: int = Config.working_side) -> Parts:
    """Find the parts of a probability map (H, W), what is connected above 0.1, as a network of this side sees them."""
    present = (coarse > PRESENT).view(np.uint8)
    around, _ = cv2.findContours(present, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if len(around) == 1:  # most masks are: their numbers are 1, and need no map of their own
        left, top, width, height = cv2.boundingRect(around[0])
        return Parts(
            np.broadcast_to(np.int32(1), present.shape),
            np.array([[top, top + height, left, left + width]]),
            np.zeros(1, np.int64),
        )
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(present, connectivity=8)
    lefts, tops, widths, heights = stats[1:, :4].T.astype(np.int64)
    boxes = np.stack([tops, tops + heights, lefts, lefts + widths], 1)
    return Parts(np.asarray(numbers, np.int32), boxes, _grouped(boxes, working_side))


def nearest(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return for each pixel (H, W) the number of the nearest part; 0 in ``numbers`` are pixels of none."""
    nothing = (numbers == 0).astype(np.uint8)
    if not nothing.any():
        return numbers
    _, sources = cv2.distanceTransformWithLabels(nothing, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    of_source = np.zeros(int(sources.max()) + 1, np.int32)
    of_source[sources[nothing == 0]] = numbers[nothing == 0]
    return of_source[sources]


def _longer(boxes: NDArray[np.int64]) -> NDArray[np.int64]:
    top, bottom, left, right = boxes.T
    return np.maximum(bottom - top, right - left)


def _grouped(boxes: NDArray[np.int64], working_side: int) -> NDArray[np.int64]:
    """Number the groups: boxes that are near each other, and what is near those, in turn, while they are seen well."""
    parents = np.arange(len(boxes))
    around, scales = boxes.copy(), _scales(boxes, working_side)  # of the group that a root stands for

    def root(part: int) -> int:
        while parents[part] != part:
            parents[part] = parents[parents[part]]
            part = parents[part]
        return part

    def join(one: int, other: int) -> None:
        (top, bottom, left, right), (*more,) = around[one], around[other]
        both = np.array([min(top, more[0]), max(bottom, more[1]), min(left, more[2]), max(right, more[3])])
        least = min(scales[one], scales[other])
        if _scales(both[None], working_side)[0] >= SHRUNK * least:
            parents[other], around[one], scales[one] = one, both, least

    top, bottom, left, right = boxes.T
    wide = np.maximum(NEAR * _longer(boxes), CLOSE)
    order = np.argsort(left - wide, kind="stable")
    begin = (left - wide)[order]
    for place, part in enumerate(order):
        others = order[place + 1 : np.searchsorted(begin, right[part] + wide[part], side="right")]
        across = np.maximum(left[others] - right[part], left[part] - right[others])
        down = np.maximum(top[others] - bottom[part], top[part] - bottom[others])
        for other in others[np.maximum(across, down) <= np.maximum(wide[others], wide[part])]:
            one, another = root(int(part)), root(int(other))
            if one != another:
                join(one, another)
    roots = np.array([root(part) for part in range(len(boxes))], np.int64)
    return np.unique(roots, return_inverse=True)[1]


def _scales(boxes: NDArray[np.int64], working_side: int) -> NDArray[np.float64]:
    """Return the scale at which the network first sees each box and its margin, (N,)."""
    longer = _longer(boxes)
    return np.minimum(MOST_ENLARGED, working_side / (longer + 2 * margin(longer)))
