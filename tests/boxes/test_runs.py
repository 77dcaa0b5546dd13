"""Runs of pixels: as pycocotools and a plain walk count them."""

from itertools import groupby

import numpy as np
import pytest
from pycocotools import mask as tool

from spnrefine.boxes.boxed import Boxed
from spnrefine.boxes.runs import from_runs, runs_of

SIZE = (9, 12)


def noise(top, bottom, left, right, share):
    mask = np.zeros(SIZE, bool)
    part = mask[top:bottom, left:right]
    part[:] = np.random.default_rng(1).random(part.shape) < share
    return mask


MASKS = [
    noise(2, 7, 3, 9, 0.5),
    noise(0, 9, 0, 12, 0.6),
    noise(0, 9, 0, 12, 1),
    noise(0, 9, 4, 6, 1),  # runs that go on in the next column
    noise(3, 5, 0, 12, 1),  # and in the next row
    noise(8, 9, 11, 12, 1),
    noise(0, 0, 0, 0, 1),
]


def counted(flat):
    """The runs of a flat mask, the first of what is outside."""
    runs = [(value, len(list(run))) for value, run in groupby(flat.tolist())]
    return ([0] if runs[0][0] else []) + [length for _, length in runs]


@pytest.mark.parametrize("by_columns", [False, True])
@pytest.mark.parametrize("mask", MASKS)
def test_runs_are_those_of_the_whole_picture_and_lead_back(mask, by_columns):
    runs = runs_of(Boxed.of(mask), by_columns=by_columns)
    assert runs.tolist() == counted(mask.ravel(order="F" if by_columns else "C"))
    ends = np.cumsum(runs)
    again = from_runs(ends[: len(ends) - 1 : 2], ends[1::2], SIZE, by_columns=by_columns)
    np.testing.assert_array_equal(again, mask)


@pytest.mark.parametrize("mask", MASKS)
def test_runs_down_the_columns_are_cocos(mask):
    runs = runs_of(Boxed.of(mask), by_columns=True).tolist()
    packed = tool.frPyObjects({"size": list(SIZE), "counts": runs}, *SIZE)
    assert packed == tool.encode(np.asfortranarray(mask, np.uint8))
