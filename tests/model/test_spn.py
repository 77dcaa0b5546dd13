import numpy as np
import pytest
import torch

from spnrefine.errors import WeightsError
from spnrefine.model.config import Config
from spnrefine.model.imagenet import load_imagenet
from spnrefine.model.layers import conv_block, fold_batch_norms
from spnrefine.model.spn import SPN
from spnrefine.train.lessons.refining import freeze_norms
from tests.model.make_check import CHECK, inputs, outputs

TOLERANCE = {"gates": 1e-4, "logits": 1e-3, "odd_logits": 1e-3, "small_refined": 1, "large_refined": 1}


@pytest.fixture(scope="module")
def check():

    return dict(np.load(CHECK))


def test_general_weights_put_out_the_check_vector(check):
    for name, value in outputs(check).items():
        np.testing.assert_allclose(value.astype(float), check[name], rtol=0, atol=TOLERANCE[name], err_msg=name)


def test_check_vector_has_the_drawn_inputs(check):
    for name, value in inputs().items():
        # one gray level: filters round differently from one OpenCV to the next
        np.testing.assert_allclose(
            check[name].astype(float), value, rtol=0, atol=1 if value.dtype == np.uint8 else 0.01
        )


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (1, 40), (64, 32)])
def test_any_size_in_same_size_out(size):
    model = SPN(Config(channels=2)).eval()
    with torch.no_grad():
        assert model(torch.rand(1, 3, *size), torch.rand(1, 1, *size)).shape == (1, 1, *size)


@pytest.mark.parametrize("config", [Config(channels=2, taps=1, rounds=1), Config(channels=3, rounds=3)])
def test_gradient_reaches_every_parameter(config):
    model = SPN(config)
    model.add_auxiliary()
    logits, auxiliary = model.supervised(torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64))
    assert auxiliary.shape == (2, 1, 8, 8)
    (logits.square().sum() + auxiliary.square().sum()).backward()
    untouched = [name for name, value in model.named_parameters() if value.grad is None]
    assert not untouched


def test_folding_batch_norms_changes_nothing():
    torch.manual_seed(0)
    model = SPN(Config(channels=2))
    image, coarse = torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        model(image, coarse)  # moves the running statistics off their start
        before = model.eval()(image, coarse)
        after = fold_batch_norms(model)(image, coarse)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-4)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())


def test_activations_are_in_place_only_where_no_gradient_is_wanted():
    """In place, torch would copy what its backward needs, before it is overwritten."""
    activation = conv_block(2, 2)[2]
    with torch.no_grad():
        before = torch.tensor([-1.0, 3, 7])
        assert activation(before) is before
    assert before.tolist() == [0, 3, 6]
    wanted = torch.tensor([-2.0, 3, 7], requires_grad=True)
    doubled = 2 * wanted
    result = activation(doubled)
    assert (doubled.tolist(), result.tolist()) == ([-4, 6, 14], [0, 6, 6])


def test_frozen_batch_norms_compute_and_learn_as_such():
    torch.manual_seed(0)
    model = SPN(Config(channels=2))
    image, coarse = torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64)
    model(image, coarse)
    before = model.eval()(image, coarse)
    wanted = torch.autograd.grad(before.square().sum(), list(model.parameters()))
    model.train()
    freeze_norms(model)
    after = model(image, coarse)
    got = torch.autograd.grad(after.square().sum(), list(model.parameters()))
    torch.testing.assert_close(after, before)
    for ours, theirs in zip(got, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4 * theirs.abs().max().item())


def test_imagenet_weights_fill_the_encoder_and_leave_the_mask_channel_at_zero(tmp_path):
    model = SPN()
    state = {}
    encoder = model.guidance.encoder
    blocks = [block for stage in encoder.stages for block in stage]
    parts = [("_conv_stem", "_bn0", encoder.stem)]
    for i, block in enumerate(blocks):
        parts += [(f"_blocks.{i}._depthwise_conv", f"_blocks.{i}._bn1", block.depthwise)]
        parts += [(f"_blocks.{i}._project_conv", f"_blocks.{i}._bn2", block.project)]
        if i:
            parts += [(f"_blocks.{i}._expand_conv", f"_blocks.{i}._bn0", block.expand)]
    for conv, norm, part in parts:
        weight = part[0].weight
        state[f"{conv}.weight"] = torch.randn(weight[:, :3].shape if conv == "_conv_stem" else weight.shape)
        for name in ("weight", "bias", "running_mean", "running_var"):
            state[f"{norm}.{name}"] = torch.rand(weight.shape[0])
    torch.save(state, tmp_path / "lite0.pth")
    load_imagenet(model.guidance.encoder, tmp_path / "lite0.pth")
    assert torch.equal(encoder.stem[0].weight[:, :3], state["_conv_stem.weight"])
    assert not encoder.stem[0].weight[:, 3].any()
    assert torch.equal(blocks[15].project[1].running_var, state["_blocks.15._bn2.running_var"])


@pytest.mark.parametrize("content", [b"", b"not a state dict"])
def test_unreadable_imagenet_weights_are_one_sentence(tmp_path, content):
    (tmp_path / "lite0.pth").write_bytes(content)
    with pytest.raises(WeightsError, match="not a readable"):
        load_imagenet(SPN().guidance.encoder, tmp_path / "lite0.pth")


def test_imagenet_weights_of_another_network_are_refused(tmp_path):
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "resnet.pth")
    with pytest.raises(WeightsError, match="_conv_stem"):
        load_imagenet(SPN().guidance.encoder, tmp_path / "resnet.pth")


def test_what_a_network_is_told_of_its_mask_matters_only_where_it_knows_of_it():
    torch.manual_seed(0)
    image, coarse = torch.rand(2, 3, 64, 64), torch.rand(2, 1, 64, 64)
    off = torch.tensor([-0.8, 1.0]).view(2, 1, 1, 1)
    with torch.no_grad():
        plain = SPN().eval()
        assert torch.equal(plain(image, coarse, off), plain(image, coarse))
        knowing = SPN(Config(knows_off=1)).eval()
        assert torch.equal(knowing(image, coarse, 0 * off), knowing(image, coarse))
        assert not torch.allclose(knowing(image, coarse, off), knowing(image, coarse))
