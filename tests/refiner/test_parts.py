"""Parts of a mask are refined as if each were alone, and judged each by itself."""

import cv2
import numpy as np
import pytest

from spnrefine.refiner import Refiner
from spnrefine.refiner.exact import keep_exact
from spnrefine.refiner.parts import find_parts, nearest

SIDE = 700


@pytest.fixture(scope="module")
def refiner():
    return Refiner(device="cpu")


def drawn(*circles):
    """A photograph (H, W, 3) of discs, (x, y, radius) each, and their mask (H, W)."""
    rng = np.random.default_rng(0)
    image, mask = np.full((SIDE, SIDE, 3), 90, np.float32), np.zeros((SIDE, SIDE), np.uint8)
    for x, y, radius in circles:
        cv2.circle(image, (x, y), radius, (180, 160, 150), -1, cv2.LINE_AA)
        cv2.circle(mask, (x, y), radius, 1, -1)
    image = cv2.GaussianBlur(image, (0, 0), 1) + rng.normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), mask.astype(bool)


def grown(mask, pixels=2):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)).astype(np.float32)


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_what_is_near_is_seen_together_and_what_is_far_is_not():
    mask = np.zeros((400, 600), np.float32)
    mask[50:150, 50:150] = mask[50:150, 190:240] = 1  # 40 pixels apart
    mask[300:310, 500:510] = 1
    parts = find_parts(mask)
    assert parts.count == 2
    assert len(set(parts.groups[:2])) == 1
    assert parts.frame(int(parts.groups[0])).height < 250


def test_what_is_near_is_not_seen_together_where_it_would_be_seen_much_smaller():
    mask = np.zeros((900, 1600), bool)
    mask[50:750, 50:750] = mask[50:750, 770:1470] = True  # each alone is shrunk to a half, both together to a fourth
    mask[760:800, 50:100] = True  # beside the first it costs nothing
    parts = find_parts(mask)
    first, second, small = (parts.groups[np.argmin(np.abs(parts.boxes[:, side] - at).sum(-1))]
                            for side, at in (((0, 2), (50, 50)), ((0, 2), (50, 770)), ((0, 2), (760, 50))))  # fmt: skip
    assert first != second
    assert first == small
    parts = find_parts(cv2.resize(mask.astype(np.uint8), None, fx=0.1, fy=0.1).astype(bool))
    assert parts.count == 1  # of this size all is seen enlarged as far as it may be


def test_nearest_parts_share_the_plane():
    numbers = np.zeros((5, 9), np.int32)
    numbers[2, 1], numbers[2, 7] = 1, 2
    found = nearest(numbers)
    assert (found[:, :4] == 1).all()
    assert (found[:, 5:] == 2).all()


@pytest.mark.parametrize("radius", [20, 60])
def test_a_far_stray_pixel_changes_not_a_bit_of_an_object(refiner, radius):
    image, truth = drawn((250, 250, radius))
    coarse = grown(truth)
    alone = refiner(image, coarse)
    assert iou(alone > 0.5, truth) > iou(coarse > 0.5, truth)
    coarse[SIDE - 60, SIDE - 50] = coarse[20, 30] = 1  # numbered after the object, and before it
    found = refiner(image, coarse)
    here = slice(100, 400), slice(100, 400)
    np.testing.assert_array_equal(found[here], alone[here])
    found[here] = 0
    found[:72, :81] = found[SIDE - 110 :, SIDE - 100 :] = 0  # beside the specks themselves
    assert not (found > 0.5).any(), "specks far from anything drawn"


def test_two_objects_far_apart_are_refined_as_each_alone(refiner):
    image, truth = drawn((150, 150, 60), (520, 520, 90))
    both = refiner(image, grown(truth)) > 0.5
    for window in ((slice(0, 330), slice(0, 330)), (slice(330, SIDE), slice(330, SIDE))):
        own = np.zeros_like(truth)
        own[window] = truth[window]
        alone = refiner(image, grown(own)) > 0.5
        assert iou(both[window], alone[window]) > 0.99


@pytest.mark.parametrize("radius", [5, 14, 20, 60])
def test_an_object_is_seen_in_the_same_frame_beside_others(radius):
    _, alone = drawn((250, 250, radius))
    _, both = drawn((250, 250, radius), (600, 600, 40))
    (only,) = {find_parts(alone).frame(0)}
    assert only in [find_parts(both).frame(group) for group in range(2)]
    assert only.height >= 64  # what is tiny is seen with more of what lies around it


def test_parts_are_judged_one_by_one():
    coarse = np.zeros((40, 100), np.float32)
    coarse[10:30, 10:30] = coarse[10:30, 60:80] = 1
    refined = coarse.copy()
    refined[9, 10:15] = 0.9  # 5 of 76 pixels: it is exact
    refined[8:10, 60:80] = refined[30:32, 60:80] = refined[10:30, 80:82] = 0.9  # 120 of 76: it moved
    kept = keep_exact(coarse, refined, numbers=nearest(find_parts(coarse).numbers))
    assert np.array_equal(kept[:, :45] > 0.5, coarse[:, :45] > 0.5)
    assert np.array_equal(kept[:, 45:], refined[:, 45:])


def test_exact_parts_of_any_size_stay(refiner):
    image, truth = drawn((420, 420, 190), (60, 60, 14), (140, 60, 14), (60, 140, 14), (240, 60, 14))
    assert iou(refiner(image, truth.astype(np.float32)) > 0.5, truth) > 0.995
