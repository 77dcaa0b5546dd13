"""Masks made of blocks are told from all others, and smoothed."""

import tracemalloc

import cv2
import numpy as np
import pytest

from spnrefine.boxes.ids import STRIP
from spnrefine.refiner.blocks import SMOOTH, block_size, without_blocks
from spnrefine.refiner.joint import refine_labels


def disc(side, radius):
    y, x = np.mgrid[:side, :side]
    return np.hypot(x - side / 2 + 0.5, y - side / 2 + 0.5) < radius * side


def blocks(mask, size):
    return mask.repeat(size, 0).repeat(size, 1)


@pytest.mark.parametrize("size", [3, 8, 16])
def test_blocks_are_found(size):
    assert block_size(blocks(disc(20, 0.35), size)) == size
    assert block_size(blocks(disc(20, 0.35), size)[1:, 2:]) == size, "cropped in the middle of one"


def test_void_does_not_hide_them():
    labels = blocks(disc(20, 0.35).astype(np.uint8), 8)
    known = np.ones(labels.shape, bool)
    known[disc(160, 0.2)] = False
    assert block_size(np.where(known, labels, 255)) == 1
    assert block_size(np.where(known, labels, 255), known) == 8


@pytest.mark.parametrize("mask", [disc(100, 0.3), disc(100, 0.3) * 0.5 + 0.2, np.zeros((9, 9)), np.ones((1, 1))])
def test_other_masks_have_none_and_stay(mask):
    mask = mask.astype(np.float32)
    assert block_size(mask) == 1
    assert without_blocks(mask) is mask


def test_a_rectangle_is_meant():
    mask = np.zeros((60, 80), np.float32)
    mask[16:32, 24:56] = 1
    assert without_blocks(mask) is mask


def test_stairs_become_a_smooth_edge_of_the_same_place():
    small = disc(30, 0.4)
    mask = blocks(small, 8).astype(np.float32)
    smooth = without_blocks(mask)
    assert 0 <= smooth.min() <= smooth.max() <= 1
    truth = disc(30 * 8, 0.4)
    assert ((smooth > 0.5) != truth).sum() < 0.8 * ((mask > 0.5) != truth).sum()
    assert block_size(smooth) == 1


@pytest.mark.parametrize(("size", "dtype"), [(3, np.bool_), (8, np.float32), (40, np.bool_)])
def test_rows_smoothed_by_rows_are_those_of_the_whole(size, dtype, monkeypatch):
    mask = blocks(np.random.default_rng(0).random((640 // size, 12)) < 0.5, size).astype(dtype)
    monkeypatch.setattr("spnrefine.boxes.ids.STRIP", 40 * mask.shape[1])
    monkeypatch.setattr("spnrefine.refiner.blocks.STRIP", 40 * mask.shape[1])
    whole = cv2.GaussianBlur(
        mask.astype(np.float32), (0, 0), SMOOTH * size, borderType=cv2.BORDER_REPLICATE
    )  # by one call
    assert np.array_equal(without_blocks(mask), whole)


def test_of_a_large_mask_of_blocks_one_map_is_made():
    mask = blocks(disc(300, 0.4), 8)  # 5.8 megapixels, held as bools
    tracemalloc.start()
    try:
        smooth = without_blocks(mask)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert smooth.dtype == np.float32
    assert most < smooth.nbytes + 16 * STRIP, "the result, and a few maps of some rows"


def test_each_id_of_a_label_map_made_of_blocks_is_shown_smooth():
    labels = blocks(disc(20, 0.35).astype(np.uint8) * 5, 8)
    seen = []

    def refine(image, mask):
        seen.append(mask)
        return mask

    refine_labels(refine, np.zeros((*labels.shape, 3), np.uint8), labels)
    assert len(seen) == 1
    assert len(np.unique(seen[0])) > 10


def right_angles():
    cross = np.zeros((400, 400), np.float32)
    cross[50:350, 160:240] = cross[160:240, 50:350] = 1
    rooms = np.zeros((300, 500), np.float32)
    for top, left in ((20, 20), (20, 180), (20, 340), (160, 20), (160, 180), (160, 340)):
        rooms[top : top + 120, left : left + 140] = 1
    stairs = np.zeros((200, 200), np.float32)
    for step in range(4):
        stairs[40 * step : 200, 45 * step : 45 * step + 45] = 1
    return [cross, rooms, stairs]


@pytest.mark.parametrize("mask", right_angles(), ids=["cross", "rooms", "stairs"])
def test_right_angles_are_no_blocks(mask):
    assert block_size(mask) == 1
    assert without_blocks(mask) is mask


@pytest.mark.parametrize("size", [3.5, 5.3, 7.5, 12.8])
def test_blocks_of_a_size_that_is_no_whole_number(size):
    small = disc(40, 0.4)
    places = (np.arange(round(40 * size)) / size).astype(int)
    assert abs(block_size(small[places][:, places]) - size) <= 0.5
