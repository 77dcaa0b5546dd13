"""Alpha by the matting Laplacian, beside the same equations solved whole."""

import numpy as np
import pytest

from spnrefine.model import laplacian
from spnrefine.model.laplacian import RADIUS, solved, windows


def dense(colour):
    """The matting Laplacian (N, N) as Levin et al. write it, window by window; those at the border are cut off."""
    height, width, _ = colour.shape
    places = np.arange(height * width).reshape(height, width)
    total = np.zeros((height * width,) * 2)
    for y in range(height):
        for x in range(width):
            rows, columns = (slice(max(0, at - RADIUS), at + RADIUS + 1) for at in (y, x))
            here = places[rows, columns].ravel()
            apart = colour[rows, columns].reshape(-1, 3).astype(np.float64)
            apart -= apart.mean(0)
            covariance = apart.T @ apart / len(here) + laplacian._EPSILON * np.eye(3)
            alike = (1 + apart @ np.linalg.inv(covariance) @ apart.T) / len(here)
            total[np.ix_(here, here)] += np.eye(len(here)) - alike
    return total


def test_it_is_the_matting_laplacian():
    rng = np.random.default_rng(0)
    colour, plane = rng.random((13, 17, 3), np.float32), rng.random((13, 17), np.float32)
    found = laplacian._times_laplacian(windows(colour), plane)
    np.testing.assert_allclose(found.ravel(), dense(colour) @ plane.ravel(), atol=1e-3)


@pytest.mark.parametrize("sigma", [0.0, 0.02])
def test_of_two_colours_alpha_is_the_share_of_each(sigma):
    rng = np.random.default_rng(1)
    truth = np.tile(np.clip((30 - np.arange(60)) / 9 + 0.5, 0, 1).astype(np.float32), (40, 1))
    front, behind = np.array([0.8, 0.4, 0.2]), np.array([0.2, 0.4, 0.7])
    colour = truth[..., None] * front + (1 - truth[..., None]) * behind + rng.normal(0, sigma, (40, 60, 3))
    hard, unknown = (truth > 0.5).astype(np.float32), np.abs(np.arange(60) - 30) < 8
    unknown = np.tile(unknown, (40, 1))
    found = solved(windows(colour.astype(np.float32)), hard, unknown, 15)
    assert np.abs(found - truth)[unknown].mean() < 0.3 * np.abs(hard - truth)[unknown].mean()
    np.testing.assert_array_equal(found[~unknown], hard[~unknown])


def test_where_all_is_known_nothing_is_solved():
    start = np.eye(9, dtype=np.float32)
    flat = np.full((9, 9, 3), 0.5, np.float32)
    np.testing.assert_array_equal(solved(windows(flat), start, np.zeros((9, 9), bool), 5), start)
    assert np.isfinite(solved(windows(flat), start, np.ones((9, 9), bool), 5)).all()
