"""The kernels of the shallow layers and of the last two decoders against the network's layers in torch."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from spnrefine.model import layer_weights
from spnrefine.model.config import Config
from spnrefine.model.guidance import Bottleneck
from spnrefine.model.joining_on_cpu import join
from spnrefine.model.layers import upsample
from spnrefine.model.shallow_on_cpu import shallow
from spnrefine.model.spn import SPN
from spnrefine.simd.team import LEAST, portion

OFF = 0.3


pytestmark = pytest.mark.usefixtures("nothing_is_clean")


def drawn(config):
    """A network every tensor of which is drawn, and its tensors as a weights file holds them."""
    torch.manual_seed(4)
    network = SPN(config).eval().requires_grad_(False)
    for name, tensor in network.named_parameters():
        if name.endswith(".1.weight"):
            torch.nn.init.uniform_(tensor, 0.5, 1.5)
        elif name.endswith(".1.bias"):
            torch.nn.init.normal_(tensor)
    for name, tensor in network.named_buffers():
        if "running_var" in name:
            torch.nn.init.uniform_(tensor, 0.2, 1)
        elif "running_mean" in name:
            torch.nn.init.normal_(tensor)
    state = {key: value.numpy() for key, value in network.state_dict().items() if "num_batches" not in key}
    return network, state


def only(state, starts):
    return {key: value for key, value in state.items() if key.startswith(starts)}


@pytest.fixture(scope="module", params=[(0, 0), (1, 1)], ids=["plain", "told, bottleneck"])
def network(request):
    knows_off, bottleneck = request.param
    network, state = drawn(Config(knows_off=knows_off, bottleneck=bottleneck))
    planes = 4 + knows_off
    return SimpleNamespace(
        guidance=network.guidance,
        embed=network.embed,
        off=OFF if knows_off else None,
        shallow=layer_weights.shallow(only(state, layer_weights.SHALLOW), planes),
        joining=layer_weights.joining(only(state, layer_weights.JOINING)),
    )


def close(found, expected):
    scale = float(expected.abs().max())
    assert scale > 0.5
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-5 * max(scale, 1))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [(32, 32), (70, 93), (128, 64)])
def test_shallow_layers_are_the_networks(network, size, threads):
    rng = np.random.default_rng(5)
    image, coarse = rng.integers(0, 256, (*size, 3), np.uint8), rng.random(size, np.float32)
    height, width = (side + -side % 32 for side in size)
    made = shallow(image, coarse, network.off, (height, width), network.shallow, threads)
    seen = torch.from_numpy(np.concatenate([image / np.float32(255), coarse[..., None]], 2) * 2 - 1)
    x = seen.permute(2, 0, 1)[None]
    x = torch.nn.functional.pad(x, (0, width - size[1], 0, height - size[0]), mode="replicate")
    close(made.mask, x[0, 3:4])
    close(made.state, network.embed(x[:, 3:4])[0].permute(1, 2, 0))
    x = x if network.off is None else torch.cat([x, torch.full_like(x[:, :1], OFF)], 1)
    guidance = network.guidance
    detail = guidance.detail_full(x)
    at2 = guidance.encoder.stages[0](guidance.encoder.stem(x))
    at4 = guidance.encoder.stages[1](at2)
    close(made.detail, detail[0])
    close(made.at2[:, 0], at2[0].permute(1, 2, 0))
    close(made.at2[:, 1], guidance.detail_half(detail)[0].permute(1, 2, 0))
    close(made.deep, at4[0])
    found = np.concatenate([made.at4[:, 0], made.at4[:, 1]], 2).transpose(2, 0, 1)
    assert np.array_equal(found[:24], made.deep)
    assert not found[24:].any()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [(32, 32), (96, 160)])
def test_last_decoders_are_the_networks(network, size, threads):
    torch.manual_seed(6)
    height, width = size
    guidance, (first, _) = network.guidance, network.joining
    below = 2 * torch.randn(1, first.below * 16, height // 8, width // 8)
    at4 = 2 * torch.randn(1, 24, height // 4, width // 4)
    at2, half = 2 * torch.randn(1, 16, height // 2, width // 2), 6 * torch.rand(1, 16, height // 2, width // 2)

    def chunks(planes):
        count = -planes.shape[1] % 16
        padded = torch.cat([planes, torch.zeros(1, count, *planes.shape[2:])], 1)[0]
        return np.ascontiguousarray(padded.unflatten(0, (-1, 16)).permute(2, 0, 3, 1).numpy())

    found = join(
        np.ascontiguousarray(below[0].permute(1, 2, 0).numpy()),
        chunks(at4),
        chunks(torch.cat([at2, half], 1)),
        network.joining,
        threads,
    )
    if isinstance(guidance.decoder2, Bottleneck):
        at4 = guidance.decoder4.joined(upsample(below) + guidance.decoder4.beside(at4))
        expected = guidance.decoder2(at4, torch.cat([at2, half], 1))
    else:
        at4 = guidance.decoder4(torch.cat([upsample(below), at4], 1))
        expected = guidance.decoder2(torch.cat([upsample(at4), at2, half], 1))
    close(found, expected)


def test_tensors_of_other_names_or_shapes_are_refused():
    _, state = drawn(Config(bottleneck=1))
    tensors = only(state, layer_weights.SHALLOW)
    with pytest.raises(ValueError, match=r"stem\.0\.weight is \(32, 4, 3, 3\): expected \(32, 5, 3, 3\)"):
        layer_weights.shallow(tensors, 5)
    with pytest.raises(ValueError, match=r"embed\.more: expected no such tensors"):
        layer_weights.shallow(tensors | {"embed.more": np.zeros(1, np.float32)}, 4)
    tensors = only(state, layer_weights.JOINING)
    del tensors["guidance.decoder4.joined.1.bias"]
    with pytest.raises(ValueError, match=r"decoder4\.joined\.1\.bias is missing"):
        layer_weights.joining(tensors)


@pytest.mark.parametrize(("rows", "threads"), [(8, 1), (128, 1), (128, 2), (9, 4), (8, 3), (1000, 7)])
def test_portions_cover_all_rows(rows, threads):
    size, count = portion(rows, threads)
    assert (count - 1) * size < rows <= count * size
    assert count == 1 if threads == 1 else size >= min(LEAST, rows) and count <= 2 * threads
