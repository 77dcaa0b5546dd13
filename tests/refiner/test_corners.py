import cv2
import numpy as np
import pytest

from spnrefine import Refiner
from spnrefine.refiner.corners import (
    LEAST_NOISE,
    MOST,
    SPREAD,
    corners_of,
    log_odds_at,
    through_corners,
)
from spnrefine.refiner.part_way import signed_distance

CORNERS = np.array([[20, 30], [60, 15], [110, 40], [95, 90], [50, 105], [25, 70]], np.int32)


def polygon(corners=CORNERS, shape=(120, 130)):
    drawn = np.zeros(shape, np.uint8)
    cv2.fillPoly(drawn, [np.ascontiguousarray(corners, np.int32)], 1)
    return drawn.astype(bool)


def seen(inside, softness=1.5):
    """Return a probability map whose contour is that of a mask."""
    return (1 / (1 + np.exp(-signed_distance(inside) / softness))).astype(np.float32)


def moved(inside, right, down):
    return np.roll(inside, (down, right), (0, 1))


def off_at_corners(refined):
    """Return how far off the corners (n,) a contour lies, in pixels: above 0 where they are inside it."""
    return signed_distance(refined > 0.5)[CORNERS[:, 1], CORNERS[:, 0]] - 0.5


def test_corners_are_found_where_they_were_drawn():
    (found,) = corners_of(polygon())
    apart = np.hypot(*(found[:, None] - CORNERS[None]).transpose(2, 0, 1))
    assert (apart.min(0) <= 1.5).all()
    assert len(found) <= len(CORNERS) + 1  # an outline has to begin somewhere
    (cut,) = corners_of(polygon()[10:], (0, 10))
    assert np.array_equal(cut, found)


def test_log_odds_are_none_where_the_contour_passes_the_corner():
    inside = polygon()
    odds = log_odds_at(CORNERS, inside.astype(np.float32), seen(inside))
    assert np.abs(odds).max() < 0.3
    odds = log_odds_at(CORNERS, inside, seen(cv2.dilate(inside.view(np.uint8), np.ones((7, 7), np.uint8)) > 0))
    assert (odds > 1).all()
    assert odds.max() <= MOST


def test_a_contour_that_passes_the_corners_stays():
    inside = polygon()
    refined = seen(inside)
    found = through_corners(inside, refined.copy())
    assert np.array_equal(found > 0.5, inside)
    np.testing.assert_allclose(found, refined, atol=0.06)


def test_a_contour_that_lies_off_exact_corners_is_brought_back_to_them():
    """The truth bulges beyond each side, and passes the corners; the network saw it two pixels too far to the right."""
    inside = polygon()
    bulging = cv2.approxPolyDP(CORNERS[:, None], 0, True)[:, 0]
    middles = (bulging + np.roll(bulging, -1, 0)) / 2
    middles += 6 * (middles - bulging.mean(0)) / np.hypot(*(middles - bulging.mean(0)).T)[:, None]
    truth = polygon(np.stack([bulging, np.round(middles)], 1).reshape(-1, 2))
    refined = seen(moved(truth, 2, 0))
    before = off_at_corners(refined)
    found = through_corners(inside, refined.copy())
    after = off_at_corners(found)
    assert np.abs(before).max() >= 2
    assert np.abs(after).max() <= 1

    def wrong(mask):
        return ((mask > 0.5) != truth).sum()

    assert wrong(found) < 0.6 * wrong(refined)
    assert wrong(found) < wrong(inside)


def test_the_field_is_the_mean_of_the_corners_near_by_and_a_noise():
    """Against sums over all corners, in float64 and at each pixel."""
    inside = polygon()
    refined = seen(moved(inside, 2, 1))
    found = through_corners(inside, refined.copy())
    (ring,) = corners_of(inside)
    odds = log_odds_at(ring, inside, refined)
    before, after = np.roll(ring, 1, 0).astype(float), np.roll(ring, -1, 0).astype(float)
    heights = np.abs(np.linalg.det(np.stack([after - before, ring - before], 1))) / np.hypot(*(after - before).T)
    noise = max((np.quantile(np.abs(odds), 0.9) / np.quantile(heights, 0.1)) ** 2, LEAST_NOISE)
    spread = SPREAD * np.median(np.hypot(*(after - ring).T))
    rows, columns = np.indices(inside.shape)[..., None]
    near = np.exp(-((columns - ring[:, 0]) ** 2 + (rows - ring[:, 1]) ** 2) / (2 * spread**2))
    field = (near * odds).sum(-1) / (near.sum(-1) + noise)
    expected = refined / (refined + (1 - refined) * np.exp(field))
    assert np.abs(expected - refined).max() > 0.15
    assert np.abs(found - expected).max() < 0.05
    assert np.abs(found - expected).mean() < 0.005


def test_corners_that_are_clicked_roughly_are_believed_less():
    """Both contours lie as far off; the corners of one polygon hardly stand out from the lines between the others."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    radii = np.where(np.arange(12) % 2, 40, 44)
    circle = np.round(np.stack([65 + radii * np.cos(angles), 60 + radii * np.sin(angles)], 1)).astype(np.int32)
    common = circle[::2]
    left = []
    for inside in (polygon(circle), polygon(common)):
        refined = seen(cv2.dilate(inside.view(np.uint8), np.ones((7, 7), np.uint8)) > 0)
        before = log_odds_at(common, inside, refined)
        after = log_odds_at(common, inside, through_corners(inside, refined.copy()))
        left.append(after.mean() / before.mean())
    rough, exact = left
    assert abs(exact) < 0.2
    assert 0.4 < rough < 1


def test_what_is_sure_stays():
    inside = polygon()
    refined = moved(inside, 3, 2).astype(np.float32)
    assert np.array_equal(through_corners(inside, refined.copy()), refined)


@pytest.mark.parametrize("turned", [False, True])
def test_boxes_around_objects_are_no_contours(turned):
    """Upright ones by their sides, others as the contour lies far off most of their corners."""
    corners = np.array(
        [[65, 10], [115, 60], [65, 110], [15, 60]] if turned else [[20, 20], [110, 20], [110, 100], [20, 100]]
    )
    y, x = np.mgrid[:120, :130]
    refined = seen(np.hypot(x - 65, y - 60) < (36 if turned else 42))
    assert np.array_equal(through_corners(polygon(corners), refined.copy()), refined)


def test_corners_at_the_border_of_the_picture_say_nothing():
    inside = polygon(np.array([[0, 0], [40, 0], [40, 30], [0, 30]]), (31, 41))
    refined = np.full(inside.shape, 0.8, np.float32)
    assert np.array_equal(through_corners(inside, refined.copy()), refined)


@pytest.mark.parametrize("value", [0, 1])
def test_without_corners_nothing_changes(value):
    coarse = np.zeros((12, 14), np.float32)
    coarse[3:5, 4] = value
    refined = np.full(coarse.shape, 0.3, np.float32)
    assert np.array_equal(through_corners(coarse, refined.copy()), refined)


def test_far_from_the_polygon_nothing_is_touched():
    inside = np.zeros((300, 400), bool)
    inside[:120, :130] = polygon()
    refined = np.random.default_rng(3).random(inside.shape, np.float32)
    found = through_corners(inside, refined.copy())
    assert np.array_equal(found[200:], refined[200:])
    assert np.array_equal(found[:, 250:], refined[:, 250:])
    assert (found != refined).any()


def test_the_refiner_holds_polygons_to_their_corners_and_no_other_masks(monkeypatch):
    asked = []

    def watched(coarse, refined):
        asked.append(coarse.shape)
        return refined

    monkeypatch.setattr("spnrefine.refiner.sight.through_corners", watched)
    image = np.random.default_rng(2).integers(0, 255, (120, 130, 3), np.uint8)
    refiner = Refiner(device="cpu")
    y, x = np.mgrid[:120, :130]
    refiner(image, (np.hypot(x - 60, y - 60) < 35).astype(np.float32))
    refiner(image, seen(polygon(), 4))
    assert not asked
    refiner(image, polygon())
    assert len(asked) == 1
