from copy import copy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from spnrefine import Refiner, SpnRefineError, refine
from spnrefine.model.off import coded
from spnrefine.refiner.off import Off, softened


@pytest.mark.parametrize(
    ("given", "amount", "relative"),
    [
        (3, 3, False),
        ("2.5", 2.5, False),
        ("2%", 0.02, True),
        ("0", 0, False),
        (0.25, 0.25, False),
        (".5%", 0.005, True),
    ],
)
def test_distances_are_pixels_or_a_share(given, amount, relative):
    assert Off.of(given) == Off(amount, relative)
    assert Off.of(str(Off.of(given))) == Off.of(given)


@pytest.mark.parametrize("given", [None, "auto"])
def test_nothing_may_be_said(given):
    assert Off.of(given) is None


@pytest.mark.parametrize("given", ["", "-1", "2 %", "far", "nan", "1px", -3, "inf"])
def test_anything_else_is_refused(given):
    with pytest.raises(SpnRefineError, match=r"expected pixels such as 3, a share such as 2%, or auto\.$"):
        Off.of(given)


def test_a_share_is_of_the_parts_size():
    coarse = np.zeros((50, 90), np.float32)
    coarse[5:25, 5:25] = 1
    assert Off(0.1, True).pixels(coarse) == pytest.approx(2)
    coarse[5:25, 60:80] = 1
    assert Off(0.1, True).pixels(coarse) == pytest.approx(2)
    assert Off(7).pixels(coarse) == 7


def test_an_edge_is_as_soft_as_it_may_be_off():
    mask = np.zeros((9, 101), np.float32)
    mask[:, 50:] = 0.8
    edge = np.gradient(softened(mask, 6.0)[4])
    edge /= edge.sum()
    place = np.arange(101)
    mean = (place * edge).sum()
    assert np.sqrt((((place - mean) ** 2) * edge).sum()) == pytest.approx(6, rel=0.05)
    assert set(np.unique(softened(mask, 0.0)).tolist()) == {0.0, 1.0}


class Told:
    """A network that keeps what it is told, and returns the mask moved to the right."""

    def __init__(self, config):
        self.config, self.heard, self.seen = config, [], []

    def __call__(self, image, coarse, off=0.0):
        self.heard.append(off)
        self.seen.append(coarse)
        return np.roll(coarse, 4, 1)


@pytest.fixture
def square():
    coarse = np.zeros((60, 80), np.float32)
    coarse[14:54, 24:64] = 1
    return np.zeros((60, 80, 3), np.uint8), coarse


def listening(off, strength=None, *, knows=True):
    refiner = loaded("general").told(off)
    refiner.strength = strength
    sight = copy(refiner.sights[None])
    sight.network = Told(replace(sight.network.config, knows_off=int(knows)))
    refiner.sights, refiner.by_kind = {None: sight}, {}
    return refiner


def network(refiner):
    return refiner.sights[None].network


@cache
def loaded(model):
    return Refiner(model, "cpu")


def test_a_network_that_knows_is_told_in_pixels_of_its_input(square):
    refiner = listening(2)
    refiner(*square)
    scale = 1.5  # as far as small objects are enlarged
    assert network(refiner).heard == [pytest.approx(coded(2 * scale))]
    assert set(np.unique(network(refiner).seen[0] > 0.5).tolist()) == {False, True}


def test_for_another_the_edge_is_softened(square):
    refiner, untold = listening(4, knows=False), listening(None, knows=False)
    refiner(*square)
    untold(*square)
    assert network(refiner).heard == network(untold).heard == [0.0]
    unsure = [((seen > 0.05) & (seen < 0.95)).mean() for seen in (network(refiner).seen[0], network(untold).seen[0])]
    assert unsure[0] > 3 * unsure[1]


@pytest.mark.parametrize("how", [{"off": 0}, {"off": "0%"}, {"strength": 0}])
def test_what_is_exact_comes_back_and_no_network_runs(square, how):
    refiner = listening(how.get("off"), how.get("strength"))
    refined = refiner(*square)
    assert np.array_equal(refined, square[1])
    assert refined is not square[1]
    assert not network(refiner).heard


def test_half_the_way_of_a_moved_square(square):
    image, coarse = square
    moved = np.roll(coarse, 4, 1)
    for strength, expected in ((None, moved), (0.5, np.roll(coarse, 2, 1))):
        found = listening(None, strength)(image, coarse) > 0.5
        assert (found != (expected > 0.5)).sum() <= 2 * 40 + 20  # a column on each side, and corners


@pytest.mark.parametrize("strength", [-0.1, 1.01, float("nan"), "much"])
def test_strengths_have_a_range(square, strength):
    with pytest.raises(SpnRefineError, match=r"expected 0 to 1, or auto\.$"):
        refine(*square, strength=strength)
