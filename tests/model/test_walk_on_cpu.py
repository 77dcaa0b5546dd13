"""The network's gates and rounds of propagation on the CPU against the reference."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from spnrefine.errors import WeightsError
from spnrefine.model import gates_kernels, kernel_weights
from spnrefine.model.gates_on_cpu import TILE_LENGTH, TILE_LINES, WORDS, gates, plane_pixels, tiles_along
from spnrefine.model.kernel_weights import FEATURES
from spnrefine.model.walk_on_cpu import propagate
from spnrefine.ops import Direction, reference
from spnrefine.ops.directions import ALL_DIRECTIONS
from spnrefine.simd.lanes import LANES
from spnrefine.simd.thirds import LOW, SCALE

SIZES = [(16, 16), (16, 48), (80, 48), (128, 96)]


def drawn(size, channels, scale=0.4):
    """Features, the tensors of a layer of gates, and the guidance (1, 4, 3, C, H, W) that torch makes of them."""
    generator = torch.Generator().manual_seed(size[0] + size[1] + channels)
    features = 2 * torch.rand(1, FEATURES, *size, generator=generator)
    weight = scale * torch.randn(12 * channels, FEATURES, 1, 1, generator=generator)
    bias = torch.randn(12 * channels, generator=generator)
    state = {"guidance.gates.weight": weight.numpy(), "guidance.gates.bias": bias.numpy()}
    guidance = F.conv2d(features, weight, bias).unflatten(1, (4, 3, channels))
    return features[0].numpy(), kernel_weights.gates(state, 4, 3, channels), guidance


def unpacked(words):
    """Three numbers of 21 bits from each two words (..., 2, LANES), as float64 (3, ..., LANES)."""
    first, second = words[..., 0, :].astype(np.int64), words[..., 1, :].astype(np.int64)
    middle = (((first & 2047) ^ 1024) - 1024) * (1 << LOW) + (second & 2047)
    return np.stack([first >> LOW, middle, second >> LOW]) / SCALE


def in_the_image(found, direction, block):
    """The gates (3, LANES, H, W) of one direction and block of channels, from where the scan finds them."""
    height, width = found.height, found.width
    plane = plane_pixels(height, width) * WORDS
    at = (direction * found.channels // LANES + block) * plane
    pixels = found.flat[at : at + plane].reshape(-1, 2, LANES)
    y, x = np.mgrid[:height, :width]
    if direction.horizontal:
        line, length = (width - 1 - x if direction.reverse else x), height
        slanted = y + line % TILE_LINES
        tile = line // TILE_LINES * tiles_along(length) + slanted // TILE_LENGTH
        where = (tile * TILE_LINES + line % TILE_LINES) * TILE_LENGTH + slanted % TILE_LENGTH
    else:
        where = (height - 1 - y if direction.reverse else y) * width + x
    return unpacked(pixels[where]).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [16, 32])
def test_gates_are_the_references_in_the_order_of_the_scans(size, channels, threads):
    features, weights, guidance = drawn(size, channels)
    found = gates(features, weights, threads)
    for direction in ALL_DIRECTIONS:
        expected = reference.gates(guidance[:, direction], direction)[0].double().numpy()
        assert 0.5 < np.abs(expected).sum(0).mean() <= 1
        for block in range(channels // LANES):
            ours = in_the_image(found, direction, block)
            theirs = expected[:, block * LANES : (block + 1) * LANES]
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=2.5e-6)
            # what a scan takes of its input is what is left of 1: where nothing is, rounding must not make up any
            full = (theirs >= 0).all(0) & (theirs.sum(0) > 1 - 1e-6)
            assert full.mean() > 0.001
            np.testing.assert_allclose(ours.sum(0)[full], 1, rtol=0, atol=1e-9)


def test_gates_of_one_and_minus_one_fit():
    weights = kernel_weights.GatesWeights(
        np.zeros((4, 1, FEATURES, 3, LANES), np.float32), np.zeros((4, 1, 3, LANES), np.float32)
    )
    for tap, lane in np.ndindex(3, 2):
        weights.bias[:, 0, tap, 2 * tap + lane] = -100 if lane else 100
    found = in_the_image(gates(np.zeros((FEATURES, 16, 16), np.float32), weights, 1), Direction.TOP_TO_BOTTOM, 0)
    expected = np.zeros((3, LANES))
    expected[[0, 0, 1, 1, 2, 2], range(6)] = 1, -1, 1, -1, 1, -1
    np.testing.assert_array_equal(found[:, :, 5, 5], expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [16, 32])
def test_a_round_is_the_references(size, channels):
    features, weights, guidance = drawn(size, channels)
    state = torch.randn(1, channels, *size, generator=torch.Generator().manual_seed(1))
    expected = reference.propagate(state, guidance).permute(0, 2, 3, 1).numpy()
    found = [
        propagate(state.permute(0, 2, 3, 1).numpy(), gates(features, weights, threads), threads)
        for threads in (1, 2, 3, 5)
    ]
    np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=2e-5)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_gates_too_many_for_the_cache_are_the_same():
    """They are written past it, from 16 MiB on."""
    features, weights, guidance = drawn((16, 2064), 16)
    found = gates(features, weights, 1)
    assert found.flat.nbytes > gates_kernels.NEAR
    expected = reference.gates(guidance[:, 1], Direction.RIGHT_TO_LEFT)[0].double().numpy()
    np.testing.assert_allclose(in_the_image(found, Direction.RIGHT_TO_LEFT, 0), expected, rtol=0, atol=2.5e-6)


@pytest.mark.parametrize("number", [np.nan, np.inf, 3e38])
def test_gates_that_are_no_numbers_are_refused(number):
    """Words of whole numbers would hide them."""
    features, weights, _ = drawn((16, 32), 16)
    weights.weight[2, 0, 7, 1, 3] = number
    with pytest.raises(WeightsError, match="NaN or infinite"):
        gates(features * 2, weights, 2)
