"""Which small objects of a picture are seen together, and in which tiles."""

import cv2
import numpy as np
import pytest

from spnrefine.boxes.ids import find_ids
from spnrefine.model.framing import MOST_ENLARGED
from spnrefine.refiner import sheets
from spnrefine.refiner.sheets import (
    GAP,
    GRAIN,
    LEAST_SCALE,
    MANY,
    MOST_SIDE,
    TILE,
    Objects,
    small_ones,
    tiles,
)


def objects_of(labels):
    ids, boxes = find_ids(labels)
    found = Objects(labels.shape, boxes, lambda at: (labels[found.seen(at).slices] == ids[at]).astype(np.float32))
    return found


def discs(radius, apart, rows=6, columns=8, shape=(400, 500)):
    """Draw discs with ``apart`` pixels between them."""
    labels = np.zeros(shape, np.uint16)
    step = 2 * radius + 1 + apart
    for number in range(rows * columns):
        row, column = divmod(number, columns)
        cv2.circle(labels, (radius + column * step, radius + row * step), radius, number + 1, -1)
    return labels


@pytest.mark.parametrize(("apart", "most"), [(0, 4), (GAP - 1, 4), (GAP + 1, 1)])
def test_those_of_one_sheet_do_not_come_near_each_other(apart, most):
    labels = discs(10, apart, rows=4, columns=6, shape=(130, 190))
    found = sheets.sheets(objects_of(labels), range(24))
    assert sorted(one for sheet in found for one in sheet) == list(range(24))
    assert len(found) <= most
    for sheet in found:
        for one in sheet:
            distance = cv2.distanceTransform((labels != one + 1).astype(np.uint8), cv2.DIST_L2, 5)
            others = np.isin(labels, [other + 1 for other in sheet if other != one])
            assert distance[others].min() > GAP


def test_those_that_overlap_lie_on_different_sheets():
    labels = discs(10, 20, rows=1, columns=2)
    first = objects_of(labels)
    boxes = [first.boxes[0], first.boxes[0].moved(3, 4)]
    assert sheets.sheets(Objects(labels.shape, boxes, lambda at: first.coarse(0)), [0, 1]) == [[0], [1]]


@pytest.mark.parametrize(
    ("radius", "count", "scale"),
    [
        (4, MANY, MOST_ENLARGED),
        (10, MANY, 1),
        (23, MANY, 1),
        (26, MANY, 48 / 53),
        (45, MANY, LEAST_SCALE),
        (MOST_SIDE // 2 + 1, MANY, None),
        (10, MANY - 1, None),
        (4, MANY - 1, None),
    ],
)
def test_many_small_ones_are_seen_together_at_a_scale_that_suits_them(radius, count, scale):
    labels = discs(radius, 3, rows=1, columns=count, shape=(110, 1700))
    found = small_ones(objects_of(labels))
    assert found == ([] if scale is None else [(pytest.approx(scale), list(range(count)))])


def test_tiny_ones_do_not_count_among_small_ones():
    labels = np.zeros((40, 900), np.uint16)
    for number in range(2 * MANY):
        side = 8 if number % 2 else 20
        labels[5 : 5 + side, 25 * number : 25 * number + side] = number + 1
    assert small_ones(objects_of(labels)) == [(MOST_ENLARGED, list(range(1, 32, 2))), (1, list(range(0, 32, 2)))]


@pytest.mark.parametrize("scale", [1, LEAST_SCALE, MOST_ENLARGED])
@pytest.mark.parametrize("apart", [0, 9, 60])
def test_each_is_taken_from_one_tile_that_holds_all_that_is_seen_of_it(apart, scale):
    labels = discs(10, apart, rows=12, columns=14, shape=(900, 1100))
    labels[labels % 5 == 1] = 0  # with holes
    objects = objects_of(labels)
    positions = list(range(len(objects.boxes)))
    found = tiles(objects, positions, scale)
    own = [one for tile in found for one in tile.own]
    assert len(own) == len(set(own)) > 0.9 * len(positions)
    for tile in found:
        assert len(tile.own) > 1
        assert set(tile.own) <= set(tile.shown)
        assert tile.box.longer <= (TILE + GRAIN) / scale
        assert tile.box.cut(sheets.Box(0, 900, 0, 1100)) == tile.box
        for one in tile.own:
            assert objects.seen(one).cut(tile.box) == objects.seen(one)
        if tile.box.width < 1100:
            assert round(tile.box.width * scale) % GRAIN in (0, GRAIN - 1)


def test_tiles_are_few():
    objects = objects_of(discs(10, 1, rows=16, columns=20, shape=(400, 500)))
    assert len(tiles(objects, range(320))) <= 4 * 4  # four sheets of two by two


def test_one_that_lies_far_from_all_others_is_in_no_tile():
    labels = np.zeros((300, 1500), np.uint8)
    for number, left in enumerate((0, 40, 1400), 1):
        labels[10:30, left : left + 20] = number
    (tile,) = tiles(objects_of(labels), range(3))
    assert tile.own == (0, 1)
