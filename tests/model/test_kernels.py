"""The network's Numba kernels against its layers in torch."""

import numpy as np
import pytest
import torch

from spnrefine.model import kernel_weights
from spnrefine.model.config import DETAIL_FULL, Config
from spnrefine.model.decoder_on_cpu import decode
from spnrefine.model.spn import SPN

CHANNELS = Config().channels


pytestmark = pytest.mark.usefixtures("nothing_is_clean")


@pytest.fixture(scope="module")
def network():
    """A network whose every tensor that matters here is drawn."""
    torch.manual_seed(3)
    network = SPN().eval()
    norm = network.decode[0][1]
    for tensor in (norm.weight, norm.running_var):
        torch.nn.init.uniform_(tensor, 0.5, 2)
    for tensor in (norm.bias, norm.running_mean):
        torch.nn.init.normal_(tensor)
    return network.requires_grad_(False)


def tensors(network, prefix):
    state = {key: value.numpy() for key, value in network.state_dict().items() if key.startswith(prefix)}
    return {key: value for key, value in state.items() if "num_batches" not in key}


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("size", [(32, 32), (32, 96), (64, 32), (96, 64), (192, 160)])
def test_decoder_is_the_networks(network, size, threads):
    generator = torch.Generator().manual_seed(1)
    height, width = size
    state = 3 * torch.randn(1, CHANNELS, height // 2, width // 2, generator=generator)
    detail = 6 * torch.rand(1, DETAIL_FULL, height, width, generator=generator)
    mask = torch.rand(1, 1, height, width, generator=generator) * 2 - 1
    weights = kernel_weights.decoder(tensors(network, "decode."), CHANNELS + DETAIL_FULL + 1)
    found = decode(state[0].permute(1, 2, 0).numpy(), detail[0].numpy(), mask[0].numpy(), weights, threads)
    expected = torch.sigmoid(network.finish(state, detail, mask))[0, 0].numpy()
    assert (found.shape, found.dtype) == (size, np.float32)
    assert expected.std() > 0.05
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("logit", [-1000, 1000])
def test_decoder_saturates_without_overflow(network, logit):
    weights = kernel_weights.decoder(tensors(network, "decode."), CHANNELS + DETAIL_FULL + 1)
    weights = weights._replace(bias=np.full(1, logit, np.float32))
    state, detail = np.zeros((16, 16, CHANNELS), np.float32), np.zeros((DETAIL_FULL, 32, 32), np.float32)
    assert (decode(state, detail, np.zeros((1, 32, 32), np.float32), weights, 1) == (logit > 0)).all()
