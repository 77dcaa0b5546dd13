"""What shows in a photograph, a coarse mask and its refined one of how good both are, in numbers that need no truth."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.box import bounding_box
from spnrefine.refiner.contour import contour, unsure
from spnrefine.refiner.edge_width import is_uneven
from spnrefine.refiner.kinds import KINDS, SOFT, kind_of
from spnrefine.refiner.part_way import signed_distance

MOST_SIDE = 160
"""Pixels of the longer side at which masks are looked at: of larger ones every second row and column, or third."""
AROUND = 0.15  # of the object's box, on each side, is looked at with it
BAND = 0.04  # of the object's size: the strips inside and outside a contour whose colours are compared
TINY = 1e-6

OF_A_MASK = (
    "contrast", "contrast, weakest quarter", "edges", "edges against all", "edges, weakest quarter", "length",
    "parts", "parting of colours",
)  # fmt: skip
NAMES = (
    *(f"coarse: {name}" for name in OF_A_MASK),
    *(f"refined: {name}" for name in OF_A_MASK),
    *(f"gain: {name}" for name in OF_A_MASK),
    *(f"is {kind}" for kind in KINDS),
    "is uneven", "softness", "size", "share of the picture", "IoU of both", "growth", "shift", "shift, farthest",
    "uncertainty", "unsure pixels", "probability inside", "probability outside", "added like inside",
    "removed like outside", "texture",
)  # fmt: skip
"""What each number is, in their order."""


def signs(
    image: NDArray[np.uint8], coarse: NDArray[np.float32], refined: NDArray[np.float32]
) -> NDArray[np.float32] | None:
    """Return the numbers of :data:`NAMES`.

    Parameters
    ----------
    image : (H, W, 3) uint8, RGB.
    coarse, refined : (H, W) float32 in 0..1.

    Returns
    -------
    (len(NAMES),) float32; None where either mask has no contour.
    """
    before, after = coarse > 0.5, refined > 0.5
    box = bounding_box(before | after)
    if box is None:
        return None
    here = box.grown(4 + int(AROUND * box.longer), *before.shape).slices
    kind, soft = kind_of(coarse[here]), int(unsure(coarse[here]).sum())
    step = math.ceil(max(before[here].shape) / MOST_SIDE)
    before, after, probability = (
        before[here][::step, ::step],
        after[here][::step, ::step],
        refined[here][::step, ::step],
    )
    whole = before.shape[0] * before.shape[1] * step * step / coarse.size
    colours = _lab(image[here][::step, ::step])
    first, last = signed_distance(before), signed_distance(after)
    if first is None or last is None:
        return None
    size = math.sqrt(int(before.sum()))
    gray = cv2.GaussianBlur(colours[..., 0], (0, 0), 1)
    down, across = (cv2.Sobel(gray, cv2.CV_32F, *order) for order in ((0, 1), (1, 0)))
    steepness = np.hypot(across, down).astype(np.float32)
    own = [_of_mask(each, distance, colours, steepness, size) for each, distance in ((before, first), (after, last))]
    edge, line = contour(after), int(contour(before).sum())
    moved = np.abs(first[edge])
    near = np.abs(last) < max(2.0, BAND * size)
    p = probability[near]
    numbers = [
        *own[0], *own[1], *(new - old for old, new in zip(*own, strict=True)),
        *(float(kind == each) for each in KINDS), float(kind == SOFT and is_uneven(coarse[here])),
        soft / max(line, 1) / step / size, math.log(size * step), whole,
        (before & after).sum() / (before | after).sum(), math.log(after.sum() / before.sum()),
        moved.mean() / size, _quantile(moved, 0.95) / size,
        (4 * p * (1 - p)).mean(), ((probability > 0.2) & (probability < 0.8)).sum() / max(int(edge.sum()), 1) / size,
        probability[after].mean(), probability[~after].mean(),
        *_likeness(before, after, colours), math.log(steepness.mean() + 1),
    ]  # fmt: skip
    return np.nan_to_num(np.array(numbers, np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _lab(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB), np.float32)


def _of_mask(
    inside: NDArray[np.bool_],
    distance: NDArray[np.float32],
    colours: NDArray[np.float32],
    steepness: NDArray[np.float32],
    size: float,
) -> list[float]:
    """Return the numbers of :data:`OF_A_MASK`."""
    width = max(2.0, BAND * size)
    strips = [((distance > low) & (distance < high)).view(np.uint8) for low, high in ((0.6, width), (-width, -0.6))]
    edge = np.abs(distance) < 1
    within, without = (_means_around(edge, colours, strip, 2 * int(width) + 3) for strip in strips)
    along = np.stack([np.sqrt(((within - without) ** 2).sum(-1)), steepness[edge]])
    (apart, steep), (least_apart, least_steep) = along.mean(1), (_quantile(each, 0.25) for each in along)
    (inner, inner_deviation), (outer, outer_deviation) = (cv2.meanStdDev(colours, mask=strip) for strip in strips)
    spread = math.sqrt(float((inner_deviation**2 + outer_deviation**2).sum())) + 1
    parts = cv2.connectedComponents(inside.astype(np.uint8), connectivity=8)[0] - 1
    return [
        math.log1p(float(apart)),
        math.log1p(float(least_apart)),
        math.log1p(float(steep)),
        math.log((float(steep) + 1) / (float(steepness.mean()) + 1)),
        math.log1p(float(least_steep)),
        math.log(float(edge.sum()) / (math.sqrt(int(inside.sum())) + 1) + TINY),
        math.log(parts + 1),
        math.log1p(float(np.linalg.norm(inner - outer)) / spread),
    ]


def _quantile(values: NDArray[np.float32], share: float) -> np.float32:
    """Return what :func:`numpy.percentile` does, of a few numbers in a tenth of its time."""
    place = share * (len(values) - 1)
    low = int(place)
    high, part = min(low + 1, len(values) - 1), place - low
    ordered = np.partition(values, (low, high))
    below, step = ordered[low], ordered[high] - ordered[low]
    return np.float32(below + step * part if part < 0.5 else ordered[high] - step * (1 - part))


def _means_around(
    places: NDArray[np.bool_], colours: NDArray[np.float32], strip: NDArray[np.uint8], side: int
) -> NDArray[np.float32]:
    """Return the mean colours (N, 3) of those of a strip (H, W), of 0 and 1, in squares around the places marked."""
    summed = cv2.blur(cv2.merge([*cv2.split(cv2.copyTo(colours, strip)), strip.astype(np.float32)]), (side, side))
    here = summed[places]
    return np.asarray(here[:, :3] / np.maximum(here[:, 3:], TINY))


def _likeness(before: NDArray[np.bool_], after: NDArray[np.bool_], colours: NDArray[np.float32]) -> tuple[float, float]:
    """Say how like what is inside what was added is, and how like what is outside what was removed is, -1 to 1."""
    inside, outside = before & after, ~(before | after)
    if not inside.any() or not outside.any():
        return 0.0, 0.0
    centres = [np.array(cv2.mean(colours, each.view(np.uint8))[:3], np.float32) for each in (inside, outside)]

    def like(where: NDArray[np.bool_]) -> float:
        if not where.any():
            return 0.0
        to_inside, to_outside = (float(np.linalg.norm(colours[where] - centre, axis=1).mean()) for centre in centres)
        return (to_outside - to_inside) / (to_outside + to_inside + 1)

    return like(after & ~before), -like(before & ~after)
