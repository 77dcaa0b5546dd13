import cv2
import numpy as np
import pytest

from spnrefine.refiner import shift
from spnrefine.refiner.contour import contour, contour_distance
from spnrefine.refiner.shift import contour_shift, near_contour


def blobs(draw, height, width, side=5):
    return cv2.blur(draw.random((height, width)).astype(np.float32), (side, side)) > 0.5


@pytest.mark.parametrize("seed", range(30))
def test_it_is_the_distance_to_the_contour_that_a_map_of_all_distances_has(seed):
    draw = np.random.default_rng(seed)
    size = draw.integers(2, 60, 2)
    before, after = (blobs(draw, *size) for _ in range(2))
    if seed % 2:
        before = before + 2 * blobs(draw, *size)
    distance = contour_distance(before)
    np.testing.assert_allclose(contour_shift(before, after), distance[contour(after)], rtol=1e-6)
    np.testing.assert_array_equal(near_contour(before, 3), distance <= 3)


def test_without_a_contour_all_is_infinitely_far():
    square = np.zeros((9, 9), bool)
    square[3:6, 3:6] = True
    assert np.isinf(contour_shift(np.zeros((9, 9), bool), square)).all()
    assert len(contour_shift(square, np.zeros((9, 9), bool))) == 0


def test_only_contours_that_lie_far_apart_cost_a_map_of_all_distances(monkeypatch):
    maps = []
    monkeypatch.setattr(shift, "contour_distance", lambda labels: maps.append(labels) or contour_distance(labels))
    square, dot, stripes = np.zeros((3, 400, 400), bool)
    square[50:350, 50:350] = dot[390, 5] = stripes[::2] = True
    contour_shift(square, np.roll(square, 20, 1))
    assert not maps
    far = contour_shift(dot, stripes)
    assert len(maps) == 1
    np.testing.assert_allclose(far, contour_distance(dot)[contour(stripes)], rtol=1e-6)
