"""Masks painted with a round brush: their contour is made of arcs of one radius that meet in sharp corners.

Circles are fitted to stretches of the contour of several lengths, by least squares (Kåsa, "A circle fitting procedure
and its error analysis", IEEE Transactions on Instrumentation and Measurement, 1976). Of other masks few stretches are
round, those that are have all kinds of radii, and one curve leads to the next without a corner.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from spnrefine.boxes.ids import strips

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

OFF = 0.22
"""Radii that the edge of a painted mask is off on average, of held-aside ones: about so many."""
ODDS = 1.5
"""Times as likely as the network says is each pixel to be the object's: people paint along the inside."""

MOST_POINTS = 4096
"""Of longer contours, as many points in a row are taken for one that this many are left."""
LENGTHS = 8, 12, 16, 20, 24, 32, 48, 64, 88, 120
"""Points of a stretch, from the first to the last."""
STEPS = 8
"""Steps between the points of a stretch to which a circle is fitted, and stretches that begin within one."""
FEWEST = 24  # points of a ring
TURN = 0.75, 1.7  # radians of an arc: of less the radius is uncertain, of more it seldom is one dab's
LEAST_SAGITTA = 1.2  # points
OUT_OF_ROUND = 0.25  # points, root mean square: digital arcs stay below
SMALLEST = 6.0  # points: the radius from which stairs are no arcs
LARGEST = 0.32  # of the size of a part: of more it is the part itself that is round
BIN, BINS = 0.04, 7  # logarithms of radii, and how many in a row count together
ALIKE = 0.14  # logarithm: radii of one brush
APART = 0.4  # radii between the centres of two dabs, at least
GAP = 2.0  # points, beyond half a step of each, between arcs that meet
CORNERS = 3
LEAST_JOINED, LEAST_ROUND = 0.2, 0.3
"""Shares of the contour: of arcs that meet others, and of all of that radius."""
HOLLOW = 0.8  # times as much of it at most are arcs that curve inwards, as those of a natural outline do


class _Rings(NamedTuple):
    """Points of all outlines, ``xy`` (N, 2); of each ring the ``first`` and how ``many``; ``length`` of all."""

    xy: Floats
    first: Whole
    many: Whole
    length: float


class _Arcs(NamedTuple):
    """Stretches of rings and the circles fitted to them, M of each.

    ``start``, the first point of that ``ring``, and how ``long`` from there, in points; ``outwards`` bool.
    """

    ring: Whole
    start: Whole
    long: Whole
    radius: Floats
    centre: Floats
    outwards: NDArray[np.bool_]

    def only(self, which: NDArray) -> "_Arcs":
        return _Arcs(*(each[which] for each in self))


def brush_radius(inside: NDArray[np.bool_]) -> float | None:
    """Return the radius in pixels of the brush with which a mask (H, W) was painted; None where it does not show.

    It shows where at least :data:`CORNERS` corners between dabs stand out: neither in a single disc, nor where a brush
    was led so steadily that the edge is smooth.
    """
    contours, _ = cv2.findContours(inside.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    rings, step = _rings([np.asarray(each[:, 0], np.int32) for each in contours])
    if not len(rings.first):
        return None
    arcs = _fitted(rings)
    dabs = arcs.only(arcs.outwards)
    if not len(dabs.radius):
        return None
    radius = _commonest(dabs)
    size = (int(np.count_nonzero(inside)) / len(rings.first)) ** 0.5 / step
    if not SMALLEST <= radius <= LARGEST * size:
        return None
    dabs = dabs.only(np.abs(np.log(dabs.radius / radius)) < ALIKE)
    share = _share(dabs, rings)
    if share < LEAST_ROUND:
        return None
    hollow = arcs.only(~arcs.outwards & (np.abs(np.log(arcs.radius / radius)) < 0.5))
    meeting, corners = _meeting(dabs, rings, radius)
    painted = corners >= CORNERS and _share(meeting, rings) >= LEAST_JOINED
    return radius * step if painted and _share(hollow, rings) <= HOLLOW * share else None


def favoured(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make the object of a painted mask more likely where a network is not sure: (H, W) 0..1, changed in place."""
    for rows in strips(*seen.shape):
        here = seen[rows]
        here *= np.float32(ODDS) / (1 + np.float32(ODDS - 1) * here)
    return seen


def _rings(outlines: list[NDArray[np.int32]]) -> tuple[_Rings, int]:
    """Smooth outlines (N, 2) over three points, or take so many of them for one: also return how many."""
    length = sum(len(each) for each in outlines)
    step = max(1, math.ceil(length / MOST_POINTS))
    points = [_thinned(each, step) for each in outlines if len(each) >= FEWEST * step]
    count = np.array([len(each) for each in points], np.int64)
    return _Rings(np.concatenate(points or [np.zeros((0, 2))]), np.cumsum(count) - count, count, length / step), step


def _thinned(outline: NDArray[np.int32], step: int) -> Floats:
    if step == 1:
        return (np.roll(outline, 1, 0) + outline + np.roll(outline, -1, 0)) / 3
    return np.asarray(outline[: len(outline) // step * step].reshape(-1, step, 2).mean(1) / step)


def _fitted(rings: _Rings) -> _Arcs:
    """Fit circles to all stretches, and keep those that are arcs."""
    starts = [rings.many // (length // STEPS) * (rings.many >= 1.5 * length) for length in LENGTHS]
    ring = np.concatenate([np.repeat(np.arange(len(each)), each) for each in starts])
    long = np.repeat(LENGTHS, [int(each.sum()) for each in starts])
    many = np.concatenate(starts)
    start = (np.arange(len(ring)) - np.repeat(np.cumsum(many) - many, many)) * (long // STEPS)
    # each ring goes on once more, as far as stretches that begin within it may go
    lines = [
        np.resize(rings.xy[first : first + count], (count + LENGTHS[-1], 2))
        for first, count in zip(rings.first, rings.many, strict=True)
    ]
    many = np.array([len(each) for each in lines], np.int64)
    begins = (np.cumsum(many) - many)[ring] + start
    line = np.concatenate(lines or [np.zeros((0, 2))]).T.copy()

    def at(steps: list[int], of: NDArray) -> tuple[Floats, Floats]:
        """Return the points (K, M) so many steps from the starts, as x and y."""
        places = begins[of] + long[of] * np.array(steps)[:, None] // STEPS
        return line[0][places], line[1][places]

    every = np.arange(len(ring))
    x, y = at([0, STEPS // 2, STEPS], every)  # three points tell most that are none
    chord, half = np.stack([x[2] - x[0], y[2] - y[0]]), np.stack([x[1] - x[0], y[1] - y[0]])
    width = np.maximum(np.hypot(*chord), 1e-6)
    sagitta = np.abs(chord[0] * half[1] - chord[1] * half[0]) / width
    turn = 8 * sagitta / width
    may_be = np.flatnonzero((sagitta > LEAST_SAGITTA - 0.7) & (turn > TURN[0] - 0.35) & (turn < TURN[1] + 0.6))
    x, y = at([*range(STEPS + 1)], may_be)
    middle = np.stack([x.mean(0), y.mean(0)], 1)
    x -= middle[:, 0]
    y -= middle[:, 1]
    square = x * x + y * y
    mean = square.mean(0)
    xx, yy, xy = (x * x).sum(0), (y * y).sum(0), (x * y).sum(0)
    xs, ys = (x * square).sum(0), (y * square).sum(0)
    twice = 2 * np.maximum(xx * yy - xy * xy, 1e-6)
    across, down = (yy * xs - xy * ys) / twice, (xx * ys - xy * xs) / twice
    radius = np.sqrt(across * across + down * down + mean)
    left = square - mean - 2 * across * x - 2 * down * y
    turn = width[may_be] / radius
    arc = np.sqrt((left * left).mean(0)) < 2 * radius * OUT_OF_ROUND
    arc &= (turn >= TURN[0]) & (turn <= TURN[1]) & (radius * turn * turn >= 8 * LEAST_SAGITTA)
    outwards = chord[0, may_be] * down - chord[1, may_be] * across < 0
    centre = middle + np.stack([across, down], 1)
    found = _Arcs(ring[may_be], start[may_be], long[may_be], radius + 0.5, centre, outwards)
    return found.only(arc)  # of outlines through the pixels' middles half a pixel is missing


def _commonest(arcs: _Arcs) -> float:
    """Return the radius about which the longest stretches have theirs."""
    place = (np.log(arcs.radius) / BIN).astype(np.int64)
    many = np.convolve(np.bincount(place, arcs.long // STEPS), np.ones(BINS), "same")
    return float(np.exp(BIN * (many.argmax() + 0.5)))


def _share(arcs: _Arcs, rings: _Rings) -> float:
    """Return which share of the outlines some arc covers."""
    long = arcs.long
    along = np.arange(long.sum()) - np.repeat(np.cumsum(long) - long, long)
    ring = np.repeat(arcs.ring, long)
    covered = np.zeros(len(rings.xy), np.bool_)
    covered[rings.first[ring] + (np.repeat(arcs.start, long) + along) % rings.many[ring]] = True
    return float(covered.sum() / rings.length)


def _meeting(arcs: _Arcs, rings: _Rings, radius: float) -> tuple[_Arcs, int]:
    """Return the arcs of dabs that meet another in a corner, and in how many corners any do."""
    middle = arcs.start + arcs.long / 2
    order = np.lexsort((middle, arcs.ring))
    arcs, middle = arcs.only(order), middle[order]
    ends = np.r_[arcs.ring[1:] != arcs.ring[:-1], True]
    begins = np.flatnonzero(np.r_[True, ends[:-1]])
    following = np.arange(1, len(ends) + 1)
    following[ends] = begins
    gap = middle[following] - middle + np.where(ends, rings.many[arcs.ring], 0)
    near = gap <= (0.5 + 0.5 / STEPS) * (arcs.long + arcs.long[following]) + GAP
    away = np.hypot(*(arcs.centre[following] - arcs.centre).T)
    corner = np.flatnonzero(near & (away > APART * radius) & (away < 2.2 * radius))
    beside = arcs.centre[np.r_[corner, following[corner]]]
    apart = np.hypot(*np.moveaxis(arcs.centre[:, None] - beside, 2, 0))
    return arcs.only((apart < APART * radius).any(1)), len(corner)
