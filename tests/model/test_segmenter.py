import numpy as np
import pytest
import torch

from spnrefine.errors import WeightsError
from spnrefine.model import inference, storage, weights
from spnrefine.model.config import Config, SegmenterConfig
from spnrefine.model.on_torch import SegmenterOnTorch
from spnrefine.model.parsing import ParsingNetwork
from spnrefine.model.segmenter import Segmenter
from spnrefine.model.spn import SPN
from spnrefine.ops import propagate


def lively(model):
    """Give batch norms other statistics than the initial ones, so that folding them matters."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 2.0, generator=generator)
    return model.eval()


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "mine.safetensors"
    storage.save(lively(Segmenter(SegmenterConfig())), path)
    return path


@pytest.mark.parametrize(("outputs", "stride"), [(1, 8), (5, 4)])
def test_its_mask_is_smaller_by_its_stride(outputs, stride):
    model = Segmenter(SegmenterConfig(outputs=outputs, stride=stride)).eval()
    assert model(torch.zeros(2, 3, 64, 96)).shape == (2, outputs, 64 // stride, 96 // stride)


@pytest.mark.parametrize("size", [(64, 96), (160, 64)])
def test_the_exported_network_is_the_same(segmenter, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    exported = inference.load_segmenter(str(segmenter), "cpu")
    assert type(exported).__name__ == "SegmenterOnCPU"
    expected = SegmenterOnTorch(str(segmenter), "cpu")(image)
    assert exported(image).shape == (size[0] // 8, size[1] // 8)
    assert np.abs(exported(image) - expected).max() < 1e-4


def test_weights_say_what_they_are_for(segmenter):
    info = weights.describe(segmenter)
    assert (info.task, info.architecture) == ("object", weights.SEGMENTER)
    with pytest.raises(WeightsError, match="backbone"):
        inference.load(str(segmenter), "cpu")
    with pytest.raises(WeightsError, match="backbone"):
        storage.load(segmenter)
    with pytest.raises(WeightsError, match="refiner"):
        inference.load_segmenter("general", "cpu")
    with pytest.raises(WeightsError, match="label maps"):
        inference.load_parser("general", "cpu")


def test_a_parser_comes_back_from_its_file_with_its_classes(tmp_path):
    torch.manual_seed(0)
    model = lively(ParsingNetwork(Config(channels=4, classes=3)))
    storage.save(model, tmp_path / "p.safetensors", classes=("background", "a", "b"))
    assert weights.describe(tmp_path / "p.safetensors").classes == ("background", "a", "b")
    parser = inference.load_parser(str(tmp_path / "p.safetensors"), "cpu")
    coarse, refined = parser(np.random.default_rng(0).integers(0, 256, (75, 101, 3), np.uint8))
    assert coarse.shape == refined.shape == (3, 75, 101)
    assert np.allclose(coarse.sum(0), 1, atol=1e-4)
    assert np.allclose(refined.sum(0), 1, atol=1e-4)


@pytest.mark.parametrize("taps", [0, 1, 3])
def test_taps_decide_how_the_mask_spreads(taps):
    torch.manual_seed(0)
    model = SPN(Config(channels=4, taps=taps, classes=2)).eval()
    assert (model.convolve is None) == (taps > 0)
    assert model(torch.rand(1, 3, 40, 70), torch.rand(1, 2, 40, 70)).shape == (1, 2, 40, 70)


@pytest.mark.parametrize("taps", [0, 3])
@pytest.mark.parametrize(("sees_mask", "heeds"), [(2, True), (1, True), (0, False)])
def test_a_network_of_the_photograph_alone_does_not_heed_the_mask(taps, sees_mask, heeds):
    torch.manual_seed(0)
    model = lively(SPN(Config(channels=4, taps=taps, sees_mask=sees_mask)))
    image, one, other = torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64), torch.rand(1, 1, 64, 64)
    assert (model(image, one) - model(image, other)).abs().max().item() > 1e-6 or not heeds
    assert torch.equal(model(image, one), model(image, other)) != heeds
    gates = [model.begin(image, mask).guidance for mask in (one, other)]
    assert torch.equal(*gates) == (sees_mask < 2)


def test_shared_gates_are_those_of_one_channel():
    torch.manual_seed(0)
    model = lively(SPN(Config(channels=4, shared_gates=1)))
    begun = model.begin(torch.rand(1, 3, 64, 64), torch.rand(1, 1, 64, 64))
    assert begun.guidance.shape == (1, 4 * 3, 32, 32)
    gates = begun.guidance.view(1, 4, 3, 1, 32, 32)
    spread = propagate(begun.state, gates, backend="reference")  # whose kernels equal it, as the tests of ops/ show
    alone = propagate(begun.state[:, 2:3], gates, backend="reference")
    torch.testing.assert_close(spread[:, 2:3], alone)


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        (Config, {"taps": 2}),
        (Config, {"sees_mask": 3}),
        (Config, {"shared_gates": 2}),
        (Config, {"channels": 0}),
        (Config, {"rounds": 0}),
        (SegmenterConfig, {"stride": 16}),
        (SegmenterConfig, {"outputs": 0}),
        (SegmenterConfig, {"side": 0}),
    ],
)
def test_numbers_no_network_can_be_built_from_are_refused(config, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} was {next(iter(wrong.values()))}: expected"):
        config(**wrong)
