"""The network of mattes: what ONNX Runtime runs is what torch runs, and what it is shown is what it should be."""

import numpy as np
import pytest
import torch

from spnrefine.errors import WeightsError
from spnrefine.model import storage, weights
from spnrefine.model.config import MatteConfig
from spnrefine.model.matte_inputs import (
    CHANNELS,
    CONTRAST,
    DISTANCE,
    GUIDED_NEAR,
    PROJECTED,
    REACH,
    RESIDUAL,
    matte_inputs,
    signed_distance,
)
from spnrefine.model.matte_on_cpu import MattingOnCPU
from spnrefine.model.matting import Matting


@pytest.mark.parametrize("shape", [(48, 64), (35, 50)])
def test_without_torch_it_is_the_same(shape):
    inputs = np.random.default_rng(0).random((CHANNELS, *shape), np.float32)
    alpha = MattingOnCPU()(inputs)
    padded = np.pad(inputs, ((0, 0), *((0, -side % 16) for side in shape)), mode="edge")
    with torch.no_grad():
        expected = storage.load_any("matte")(torch.from_numpy(padded)[None])[0, 0]
    np.testing.assert_allclose(alpha, expected[: shape[0], : shape[1]], atol=1e-5)
    assert 0 <= alpha.min() <= alpha.max() <= 1


def test_what_came_in_can_pass_through():
    network = Matting(MatteConfig()).eval()
    torch.nn.init.constant_(network.head.bias[:4], 50.0)  # all weight on the first candidate, the coarse alpha
    inputs = torch.rand(1, CHANNELS, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(network(inputs)[0, 0], inputs[0, 3])


@pytest.mark.parametrize("model", ["general", "object"])
def test_other_networks_are_refused(model):
    with pytest.raises(WeightsError, match=r"expected a network of mattes"):
        MattingOnCPU(model)


def test_weights_of_another_width_are_refused(tmp_path):
    storage.save(Matting(MatteConfig(width=8)), tmp_path / "narrow.safetensors")
    assert weights.describe(tmp_path / "narrow.safetensors").config == MatteConfig(width=8)
    with pytest.raises(WeightsError, match="another width"):
        MattingOnCPU(str(tmp_path / "narrow.safetensors"))


def test_of_two_colours_the_projection_is_alpha():
    alpha = np.tile(np.clip((32 - np.arange(64)) / 8 + 0.5, 0, 1).astype(np.float32), (40, 1))
    front, behind = np.array([200, 60, 40]), np.array([30, 120, 160])
    image = np.rint(alpha[..., None] * front + (1 - alpha[..., None]) * behind).astype(np.uint8)
    planes = matte_inputs(image, alpha, (alpha > 0.5).astype(np.float32))
    np.testing.assert_allclose(planes[PROJECTED][:, 16:48], alpha[:, 16:48], atol=0.06)
    assert planes[RESIDUAL].max() < 0.03
    np.testing.assert_allclose(planes[CONTRAST][:, 16:48], np.linalg.norm(front - behind) / 255, atol=0.1)
    assert np.abs(planes[GUIDED_NEAR] - alpha).mean() < np.abs((alpha > 0.5) - alpha).mean()
    assert planes.shape == (CHANNELS, 40, 64)
    assert 0 <= planes.min() <= planes.max() <= 1


def test_distances_are_those_of_pixel_centres():
    inside = np.zeros((9, 30), bool)
    inside[:, :10] = True
    depth = signed_distance(inside)
    np.testing.assert_allclose(depth[4, 7:13], [2.5, 1.5, 0.5, -0.5, -1.5, -2.5], atol=0.01)
    planes = matte_inputs(np.zeros((9, 30, 3), np.uint8), inside.astype(np.float32), inside.astype(np.float32))
    np.testing.assert_allclose(planes[DISTANCE][4, [9, 29]], [(0.5 / REACH + 1) / 2, 0], atol=0.01)
