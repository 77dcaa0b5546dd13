"""Which masks label maps give, and how hands draw them again."""

import numpy as np
import pytest

from spnrefine.train.data.decode import object_size
from spnrefine.train.data.distance import signed_distance
from spnrefine.train.data.redrawn import brush_version, polygon_version
from spnrefine.train.data.unions import ATTEMPTS, unions


def discs(count: int, radius: int = 6, pitch: int = 20) -> np.ndarray:
    """Return ids of discs in a row, ``pitch`` apart, on 0."""
    y, x = np.mgrid[: 2 * pitch, : count * pitch]
    ids = np.zeros(y.shape, np.uint8)
    for index in range(count):
        ids[(x - (index + 0.5) * pitch) ** 2 + (y - pitch) ** 2 <= radius**2] = index + 1
    return ids


def whole_regions(ids: np.ndarray, union: np.ndarray) -> set[int]:
    """Return the ids that are in a union, which holds each wholly or not at all."""
    inside = set(np.unique(ids[union]).tolist())
    assert not inside & set(np.unique(ids[~union]).tolist())
    return inside


def test_instances_are_taken_alone_and_together_without_what_lies_between():
    ids = discs(15)
    drawn = [
        whole_regions(ids, union)
        for union in unions(ids, np.ones(ids.shape, bool), np.random.default_rng(0), wanted=20)
    ]
    assert len(drawn) == 20 * ATTEMPTS
    assert not any(0 in each for each in drawn)
    alone = sum(len(each) == 1 for each in drawn)
    assert 0.3 < alone / len(drawn) < 0.8
    assert any(len(each) == 15 for each in drawn)  # a gap of 8 pixels: all of them have one colour


def test_touching_instances_have_other_colours_and_are_neighbours():
    ids = np.zeros((30, 60), np.uint8)
    ids[5:25] = np.repeat(np.arange(20), 3)[None]  # stripes side by side
    drawn = [
        whole_regions(ids, union)
        for union in unions(ids, np.ones(ids.shape, bool), np.random.default_rng(1), wanted=30)
        if union.any()
    ]
    several = [sorted(each) for each in drawn if len(each) > 1]
    assert any(np.diff(each).min() > 1 for each in several)
    assert any(len(each) > 1 and np.diff(each).max() == 1 for each in several)


def test_void_is_in_no_union():
    ids = discs(4)
    valid = np.ones(ids.shape, bool)
    valid[:, :30] = False
    assert all(not (union & ~valid).any() for union in unions(ids, valid, np.random.default_rng(0), wanted=5))


def test_a_part_of_a_class_stands_alone():
    ids = (discs(4) > 0).astype(np.uint8)
    areas = {int(union.sum()) for union in unions(ids, np.ones(ids.shape, bool), np.random.default_rng(0), wanted=10)}
    assert int(ids.sum()) // 4 in areas


@pytest.mark.parametrize(("radius", "least"), [(4, 0.85), (12, 0.7)])
def test_a_brush_follows_the_inside(radius: int, least: float):
    y, x = np.mgrid[:120, :160]
    mask = ((x - 80) / 60) ** 2 + ((y - 60) / 40) ** 2 <= 1
    drawn = brush_version(mask, radius, np.random.default_rng(0))
    overlap = (drawn & mask).sum() / (drawn | mask).sum()
    assert least < overlap < 0.99
    assert (drawn & ~mask).sum() < 0.1 * mask.sum()


def test_a_brush_misses_what_is_thinner_than_itself():
    mask = np.zeros((80, 120), bool)
    mask[20:60, 20:60] = True
    mask[39:41, 60:110] = True
    drawn = brush_version(mask, 8, np.random.default_rng(0))
    assert not drawn[:, 75:].any()
    thin = np.zeros((40, 40), bool)
    thin[20, 5:35] = True
    assert brush_version(thin, 8, np.random.default_rng(0)).any()


def test_polygons_have_few_corners():
    y, x = np.mgrid[:100, :100]
    mask = (x - 50) ** 2 + (y - 50) ** 2 <= 40**2
    drawn = polygon_version(mask, 6, fill=False)
    assert 0.8 < (drawn & mask).sum() / (drawn | mask).sum() < 0.98


def test_the_size_of_thin_things_is_no_larger_for_their_length():
    square, crack = np.zeros((200, 200), bool), np.zeros((200, 200), bool)
    square[50:150, 50:150] = True
    crack[100:103, 10:190] = True
    assert object_size(square, signed_distance(square)) == pytest.approx(100)
    assert 5 <= object_size(crack, signed_distance(crack)) < 12
