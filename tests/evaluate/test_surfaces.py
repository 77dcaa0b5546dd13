"""NSD and HD95 beside their definition, contour by contour and pixel by pixel."""

import itertools
import math

import numpy as np
import pytest

from spnrefine.evaluate.metrics import Measures, score
from spnrefine.evaluate.surfaces import Surfaces
from tests.evaluate.test_metrics import blob, rectangle


def contour_by_definition(mask):
    """The corners of pixels where a contour goes, and its length there, as surface-distance's table says in words."""
    height, width = mask.shape
    lengths = {}

    def at(y, x):
        return 0 <= y < height and 0 <= x < width and bool(mask[y, x])

    for y, x in itertools.product(range(height + 1), range(width + 1)):
        around = at(y - 1, x - 1), at(y - 1, x), at(y, x - 1), at(y, x)
        if sum(around) in (1, 3):  # the contour cuts a corner off
            lengths[y, x] = math.sqrt(0.5)
        elif sum(around) == 2:
            opposite = around[0] == around[3]
            lengths[y, x] = 2 * math.sqrt(0.5) if opposite else 1.0
    return lengths


def by_definition(mask, truth, radius):
    sides = [contour_by_definition(truth), contour_by_definition(mask)]
    near = whole = 0.0
    worst = []
    for own, other in (sides, sides[::-1]):
        found = sorted((min(math.dist(place, there) for there in other), length) for place, length in own.items())
        near += sum(length for distance, length in found if distance <= radius)
        whole += sum(length for _, length in found)
        run, total = 0.0, sum(length for _, length in found)
        for distance, length in found:
            run += length
            if run >= 0.95 * total:
                worst.append(distance)
                break
    return near / whole, max(worst)


@pytest.mark.parametrize("seed", [0, 3])
def test_both_are_those_of_their_definition(seed):
    mask, truth = blob((24, 30), seed)
    valid = np.ones_like(truth)
    surfaces = Surfaces(mask, truth, valid)
    for radius in (0, 1, 1.5, 2):
        nsd, hd95 = by_definition(mask, truth, radius)
        assert surfaces.nsd(radius) == pytest.approx(nsd, abs=1e-9)
        assert surfaces.hd95() == pytest.approx(hd95, abs=1e-9)
    assert 0.05 < surfaces.nsd(0) < 0.99


def test_by_hand():
    truth, mask = rectangle(4, 12, 4, 12), rectangle(4, 12, 6, 14)  # two pixels to the right
    found = score(mask, truth, measures=Measures(nsd_radii=(1, 2), hd95=True))
    assert found.names == ("iou", "biou", "mba", "nsd_1", "nsd_2", "hd95")
    assert found.value("nsd_2") == 1
    assert found.value("hd95") == 2
    # of each contour, one side with its corners lies 2 pixels off, and of the opposite one 5 steps
    far, whole = 7 + 2 * math.sqrt(0.5) + 5, 28 + 4 * math.sqrt(0.5)
    assert found.value("nsd_1") == pytest.approx(1 - far / whole)
    exact = score(truth, truth, measures=Measures(nsd_radii=(0,), hd95=True))
    assert (exact.value("nsd_0"), exact.value("hd95")) == (1, 0)


def test_what_is_not_there_has_no_distance():
    nothing, something, valid = np.zeros((9, 9), bool), rectangle(2, 5, 2, 5, (9, 9)), np.ones((9, 9), bool)
    for one, other in ((nothing, something), (something, nothing)):
        assert (Surfaces(one, other, valid).nsd(2), Surfaces(one, other, valid).hd95()) == (0, None)
    assert (Surfaces(nothing, nothing, valid).nsd(2), Surfaces(nothing, nothing, valid).hd95()) == (None, None)
    assert Surfaces(something, something, nothing).nsd(2) is None


def test_void_makes_no_contour():
    shape = (60, 60)
    truth, mask = rectangle(20, 40, 20, 40, shape), rectangle(23, 43, 23, 43, shape)
    valid = ~rectangle(26, 34, 26, 34, shape) & ~rectangle(50, 56, 2, 8, shape)  # inside of both, and outside
    whole = Surfaces(mask, truth, np.ones(shape, bool))
    for said in (truth | ~valid, truth & valid):
        found = Surfaces(mask, said, valid)
        assert (found.nsd(2), found.hd95()) == (whole.nsd(2), whole.hd95())
