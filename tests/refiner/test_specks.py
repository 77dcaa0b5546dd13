"""Lone pixels go where those around them are, and nothing else moves."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spnrefine.refiner import specks
from spnrefine.refiner.specks import lone, without_specks

MASKS = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def by_definition(inside):
    found = np.zeros_like(inside)
    for y, x in np.ndindex(inside.shape):
        around = inside[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        found[y, x] = around.size > 1 and (around == inside[y, x]).sum() == 1
    return found


@settings(max_examples=60)
@given(MASKS)
def test_lone_pixels_are_those_unlike_all_around_them(inside):
    np.testing.assert_array_equal(lone(inside), by_definition(inside))


@settings(max_examples=40)
@given(arrays(np.float32, (12, 7), elements=st.floats(0, 1, width=32)), arrays(bool, (12, 7)), st.integers(1, 12))
def test_lone_pixels_change_sides_unless_they_were_alone_before(refined, coarse, rows):
    expected = (refined > 0.5) ^ (by_definition(refined > 0.5) & ~by_definition(coarse))
    before, rows_then = refined.copy(), specks._ROWS
    try:
        specks._ROWS = rows
        found = without_specks(refined, coarse.astype(np.float32))
    finally:
        specks._ROWS = rows_then
    np.testing.assert_array_equal(found > 0.5, expected)
    assert found is refined
    same = expected == (before > 0.5)
    np.testing.assert_array_equal(found[same], before[same])


def test_thin_lines_and_what_the_mask_held_stay():
    refined = np.zeros((20, 30), np.float32)
    refined[np.arange(15), np.arange(15)] = 1  # a diagonal line
    refined[3, 20] = refined[17, 4] = 1
    coarse = np.zeros_like(refined)
    coarse[3, 20] = 1
    found = without_specks(refined.copy(), coarse)
    refined[17, 4] = 0.5
    np.testing.assert_array_equal(found, refined)
