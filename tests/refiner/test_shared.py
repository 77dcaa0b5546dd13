"""Small objects share passes of the network, and are refined each for itself."""

import cv2
import numpy as np
import pytest

from spnrefine import Refiner
from spnrefine.boxes.box import Box
from spnrefine.refiner.joint import refine_labels
from spnrefine.refiner.noting import ENOUGH, listening
from spnrefine.refiner.shared import Pass, Shared, share
from spnrefine.refiner.sheets import Tile, small_ones
from tests.refiner.test_sheets import discs, objects_of


class Counting:
    """A network that counts its calls and the pixels that it sees."""

    def __init__(self, network):
        self.network, self.config, self.calls, self.pixels, self.heard = network, network.config, 0, 0, []

    def __call__(self, image, coarse, off=0.0):
        self.calls += 1
        self.pixels += coarse.size
        self.heard.append(off)
        return self.network(image, coarse, off) if off else self.network(image, coarse)


class Believing:
    """A network that returns what it is given."""

    def __init__(self, config):
        self.config = config

    def __call__(self, image, coarse, off=0.0):
        return coarse.copy()


@pytest.fixture(scope="module")
def loaded():
    return Refiner(device="cpu", threads=1)


@pytest.fixture
def refiner(loaded, monkeypatch):
    """A refiner whose network is counted."""
    monkeypatch.setattr(loaded.sights[None], "network", Counting(loaded.sights[None].network))
    return loaded


def cells(count, seed=0):
    """Draw bright cells that touch here and there, their map, and one that is wrong: each moved by up to 2 pixels."""
    draw = np.random.default_rng(seed)
    image, truth, coarse = np.full((300, 420, 3), 60, np.float32), *(np.zeros((300, 420), np.uint16) for _ in range(2))
    for number in range(1, count + 1):
        row, column = divmod(number - 1, 20)
        centre = np.array([10 + 20 * column, 15 + 28 * row]) + draw.integers(-1, 2, 2)
        axes = tuple(int(axis) for axis in draw.integers(7, 10, 2))
        cv2.ellipse(image, centre.tolist(), axes, 0, 0, 360, [float(draw.integers(120, 230))] * 3, -1)
        cv2.ellipse(truth, centre.tolist(), axes, 0, 0, 360, number, -1)
        cv2.ellipse(coarse, (centre + draw.integers(-2, 3, 2)).tolist(), axes, 0, 0, 360, number, -1)
    image = cv2.GaussianBlur(image, (0, 0), 0.8) + draw.normal(0, 4, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), truth, coarse


def error(truth, labels):
    """Return the mean of 1 - IoU over all ids."""
    both = np.bincount(truth[truth == labels], minlength=truth.max() + 1)[1:]
    either = np.bincount(truth.ravel())[1:] + np.bincount(labels.ravel(), minlength=truth.max() + 1)[1:] - both
    return float(1 - (both / either).mean())


def test_two_hundred_cells_get_better_in_a_dozen_passes(refiner):
    image, truth, coarse = cells(200)
    with listening() as used:
        refined, probability = refine_labels(refiner, image, coarse)
    network = refiner.sights[None].network
    assert network.calls <= 12
    assert network.pixels < 4 * coarse.size
    assert set(np.unique(refined)) == set(np.unique(coarse))
    assert error(truth, refined) < 0.75 * error(truth, coarse)
    assert refined.dtype == coarse.dtype
    assert 0 <= probability.min() <= probability.max() <= 1
    assert len(used) == 200
    judged = [one.quality_after is not None for one in used]
    assert all(judged[:ENOUGH])
    assert sum(judged[ENOUGH:]) <= 3  # of the others those alone that are seen alone


@pytest.mark.parametrize("labels", [discs(10, 2, 3, 5), discs(50, 2, 3, 3)], ids=["few", "large"])
def test_few_or_large_ones_come_out_as_ever(refiner, labels):
    network = Counting(Believing(refiner.sights[None].network.config))
    refiner.sights[None].network = network
    image = np.random.default_rng(0).integers(0, 256, (*labels.shape, 3), np.uint8)
    shared = refine_labels(refiner, image, labels)
    assert network.calls == len(np.unique(labels)) - 1
    alone = refine_labels(lambda crop, mask: refiner(crop, mask), image, labels)
    for one, other in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_pixel_goes_to_the_nearest_and_no_farther_than_it_reaches():
    labels = np.zeros((60, 120), np.uint8)
    labels[20:40, 10:30], labels[20:40, 40:60] = 1, 2
    objects = objects_of(labels)
    tile = Tile(Box(0, 60, 0, 120), 1, (0, 1), (0, 1))
    passes = [Pass(tile, lambda image, coarse: np.ones_like(coarse))]
    shared = Shared(np.zeros((60, 120, 3), np.uint8), objects, passes, lambda at, image, coarse, seen: seen)
    first, second = (shared(at) for at in (0, 1))
    box = objects.seen(0)
    assert first.shape == (box.height, box.width)
    assert first[:, : 35 - box.left - 1].all()
    assert not first[:, 35 - box.left + 1 :].any()
    assert not second[:, : 34 - objects.seen(1).left].any()


def test_what_was_asked_for_is_let_go_and_seen_again():
    labels = discs(10, 8, 2, 2)
    seen = []
    passes = [
        Pass(Tile(Box(0, 120, 0, 120), 1, (0, 1), (0, 1, 2, 3)), lambda image, coarse: seen.append(coarse) or coarse)
    ]
    shared = Shared(
        np.zeros((*labels.shape, 3), np.uint8), objects_of(labels), passes, lambda at, image, mask, seen: seen
    )
    assert [at in shared for at in range(4)] == [True, True, False, False]
    first = shared(0)
    shared(1)
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0], labels[:120, :120] > 0)  # others are shown
    np.testing.assert_array_equal(shared(0), first)
    assert len(seen) == 2
    assert [at in shared.of([2, 1]) for at in range(2)] == [False, True]


def test_off_strength_and_choices_hold_for_each(loaded, monkeypatch):
    labels = discs(10, 3)
    image = np.random.default_rng(0).integers(0, 256, (*labels.shape, 3), np.uint8)
    sight = loaded.sights[None]
    monkeypatch.setattr(sight, "network", Counting(Believing(sight.network.config)))
    exact = loaded.told(0)
    np.testing.assert_array_equal(refine_labels(exact, image, labels)[0], labels)
    assert sight.network.calls == 0
    with listening() as used:
        refine_labels(loaded.told("10%"), image, labels)
    assert {round(one.off, 1) for one in used} == {1.8}


def test_a_refiner_that_knows_of_no_sharing_refines_each_alone():
    objects = objects_of(discs(10, 3))
    assert small_ones(objects) == [(1, list(range(48)))]
    found = share(lambda image, coarse: coarse, np.zeros((400, 500, 3), np.uint8), objects)
    assert not any(at in found for at in range(48))
