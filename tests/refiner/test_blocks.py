"""Masks made of blocks are told from all others, and smoothed."""

import numpy as np
import pytest

from spnrefine.refiner.blocks import block_size, without_blocks
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


def test_each_id_of_a_label_map_made_of_blocks_is_shown_smooth():
    labels = blocks(disc(20, 0.35).astype(np.uint8) * 5, 8)
    seen = []

    def refine(image, mask):
        seen.append(mask)
        return mask

    refine_labels(refine, np.zeros((*labels.shape, 3), np.uint8), labels)
    assert len(seen) == 1
    assert len(np.unique(seen[0])) > 10
