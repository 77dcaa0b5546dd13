"""Masks as polygons without holes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spnrefine.annotations.pieces import pieces
from spnrefine.annotations.polygons import Grid, fill
from spnrefine.boxes.boxed import Boxed
from tests.annotations.making import SIZE, blob, holed, iou, parted, speckled


def union(rings, size):
    mask = np.zeros(size, bool)
    for ring in rings:
        part = fill(ring, size, grid=Grid.CORNERS)
        assert not (part & mask).any()  # no two of them take one pixel
        mask |= part
    return mask


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_pieces_are_the_mask_and_touch_themselves_nowhere(height, width, share, seed):
    mask = np.random.default_rng(seed).random((height, width)) < share
    rings = pieces(Boxed.of(mask), tolerance=0)
    np.testing.assert_array_equal(union(rings, mask.shape), mask)
    for ring in rings:
        assert len(np.unique(ring, axis=0)) == len(ring)


@pytest.mark.parametrize(
    ("mask", "count"),
    [(blob(), 1), (holed(), 2), (parted(), 3), (np.eye(3, dtype=bool), 3), (np.zeros((4, 4), bool), 0)],
)
def test_there_are_no_more_than_holes_and_corners_ask_for(mask, count):
    assert len(pieces(Boxed.of(mask), tolerance=0)) == count


@pytest.mark.parametrize("mask", [holed(), parted()], ids=["hole", "parts"])
def test_pieces_keep_to_the_tolerance(mask):
    rings = pieces(Boxed.of(mask), tolerance=1)
    assert iou(sum((fill(ring, SIZE, grid=Grid.CORNERS) for ring in rings), np.zeros(SIZE, bool)), mask) > 0.97
    assert sum(map(len, rings)) < sum(map(len, pieces(Boxed.of(mask), tolerance=0))) / 2


def test_a_mask_at_its_worst_is_taken_apart():
    np.testing.assert_array_equal(union(pieces(Boxed.of(speckled()), tolerance=0), SIZE), speckled())
