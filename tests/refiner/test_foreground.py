"""The object's own colours, against composites whose colours are known."""

import numpy as np

from spnrefine.refiner import foreground as module
from spnrefine.refiner.foreground import BEYOND, foreground

RED, GREEN = np.array([200, 40, 30]), np.array([20, 160, 90])


def ramp(height=40, width=60, soft=8):
    """Alpha that falls from 1 to 0 over ``soft`` columns in the middle."""
    return np.tile(np.clip((width / 2 - np.arange(width)) / soft + 0.5, 0, 1).astype(np.float32), (height, 1))


def composite(alpha):
    return np.rint(alpha[..., None] * RED + (1 - alpha[..., None]) * GREEN).astype(np.uint8)


def test_what_lies_behind_is_taken_out():
    alpha = ramp()
    colours = foreground(composite(alpha), alpha)
    shows = alpha > 0
    assert np.abs(colours[shows].astype(int) - RED).max() <= 6
    assert np.abs(composite(alpha)[shows].astype(int) - RED).max() > 100  # of the photograph itself


def test_colours_go_on_a_little_beyond_the_edge_and_no_farther():
    alpha = ramp()
    colours = foreground(composite(alpha), alpha)
    edge = int((alpha[0] > 0).sum())
    assert np.abs(colours[:, edge : edge + BEYOND].astype(int) - RED).max() <= 6
    assert not colours[:, edge + BEYOND :].any()


def test_where_alpha_is_one_the_photograph_stays():
    rng = np.random.default_rng(0)
    image, alpha = rng.integers(0, 256, (30, 40, 3), np.uint8), np.zeros((30, 40), np.float32)
    alpha[5:20, 5:25] = 1
    np.testing.assert_array_equal(foreground(image, alpha)[5:20, 5:25], image[5:20, 5:25])
    assert not foreground(image, np.zeros_like(alpha)).any()


def test_tiles_leave_no_trace(monkeypatch):
    rng = np.random.default_rng(1)
    monkeypatch.setattr(module, "RADII", (6, 2, 1))
    image, alpha = rng.integers(0, 256, (70, 90, 3), np.uint8), rng.random((70, 90)).astype(np.float32)
    whole = foreground(image, alpha)
    monkeypatch.setattr(module, "SIDE", 32)
    np.testing.assert_allclose(foreground(image, alpha).astype(int), whole.astype(int), atol=1)
