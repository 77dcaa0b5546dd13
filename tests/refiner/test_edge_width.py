"""The edge of a blurred mask is as wide everywhere, that of a network's map is not."""

import cv2
import numpy as np
import pytest

from spnrefine.refiner import edge_width
from spnrefine.refiner.edge_width import is_uneven
from spnrefine.refiner.kinds import is_map

Y, X = np.mgrid[:160, :200].astype(np.float32)
DISC = (np.hypot(Y - 80, X - 100) < 50).astype(np.float32)


def widening(narrow, wide):
    """Return a disc whose edge is ``narrow`` pixels wide on its left, and ``wide`` on its right."""
    width = np.interp(X, (50, 150), (narrow, wide))
    return (1 / (1 + np.exp((np.hypot(Y - 80, X - 100) - 50) * 8 / width))).astype(np.float32)


@pytest.mark.parametrize("deviation", [1, 2, 5, 12])
def test_a_blurred_mask_is_even(deviation):
    assert not is_uneven(cv2.GaussianBlur(DISC, (0, 0), deviation))


@pytest.mark.parametrize("size", [3, 7])
def test_so_is_one_with_a_ramp_for_an_edge(size):
    """Three pixels are too few for the shape of an edge to show."""
    assert not is_uneven(cv2.blur(DISC, (size, size)))


@pytest.mark.parametrize(("width", "shift"), [(6, 3), (10, 0), (20, -4)])
def test_so_is_a_linear_ramp_wherever_its_middle_is(width, shift):
    assert not is_uneven(np.clip(0.5 + (50 + shift - np.hypot(Y - 80, X - 100)) / width, 0, 1))


@pytest.mark.parametrize(("narrow", "wide", "uneven"), [(8, 8, False), (3, 25, True), (6, 60, True)])
def test_an_edge_that_widens_is_uneven(narrow, wide, uneven):
    assert is_uneven(widening(narrow, wide)) == uneven


def test_a_mask_without_an_edge_is_even():
    assert not is_uneven(DISC)
    assert not is_uneven(np.zeros((9, 9), np.float32))


def test_of_what_is_larger_nothing_is_said(monkeypatch):
    monkeypatch.setattr(edge_width, "MOST_SIDE", 100)
    assert not is_uneven(widening(3, 25))


def test_a_map_that_was_enlarged_of_averages_is_none_of_a_network():
    """One of many small parts is uneven, as its edges are wider than they are."""
    parts = np.zeros((160, 200), np.float32)
    parts[8::24, 8::24] = parts[9::24, 9::24] = 1
    parts[40:100, 60:140] = 1
    cells = cv2.resize(parts, (50, 40), interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(cells, (200, 160), interpolation=cv2.INTER_LINEAR)
    assert is_uneven(enlarged)
    assert not is_map(enlarged)
    assert is_map(widening(3, 25))
