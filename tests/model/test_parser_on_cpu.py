"""The network of label maps without torch against the same network in torch."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch

from spnrefine.errors import WeightsError
from spnrefine.model import inference, parser_on_cpu, storage, weights
from spnrefine.model.config import Config
from spnrefine.model.on_torch import ParserOnTorch
from spnrefine.model.parser_on_cpu import OF_FACES, ParserOnCPU
from spnrefine.model.parsing import ParsingNetwork
from tests.model.make_check import draw

SIZES = [(32, 32), (33, 40), (64, 96), (101, 77), (75, 250)]


@pytest.fixture(scope="module")
def exported():
    return inference.load_parser("face", "cpu")


@pytest.fixture(scope="module")
def in_torch():
    return ParserOnTorch("face", "cpu")


@pytest.mark.parametrize("size", SIZES)
def test_it_puts_out_what_torch_does(exported, in_torch, size):
    assert isinstance(exported, ParserOnCPU)
    image, _ = draw(*size, seed=size[1])
    for ours, theirs in zip(exported(image), in_torch(image), strict=True):
        assert ours.shape == theirs.shape == (11, *size)
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-5)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_the_result(exported, threads):
    image, _ = draw(75, 101, seed=3)
    for ours, theirs in zip(inference.load_parser("face", "cpu", threads)(image), exported(image), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("bottleneck", [0, 1])
def test_weights_of_any_training_run_on_it(tmp_path, bottleneck):
    torch.manual_seed(5)
    storage.save(ParsingNetwork(dataclasses.replace(OF_FACES, bottleneck=bottleneck)), tmp_path / "a.safetensors")
    path = str(tmp_path / "a.safetensors")
    assert isinstance(inference.load_parser(path, "cpu"), ParserOnCPU)
    image, _ = draw(64, 96, seed=4)
    for ours, theirs in zip(inference.load_parser(path, "cpu")(image), ParserOnTorch(path, "cpu")(image), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-5)


def test_other_classes_run_in_torch(tmp_path):
    storage.save(ParsingNetwork(Config(channels=2, taps=1, classes=3)), tmp_path / "a.safetensors")
    assert isinstance(inference.load_parser(str(tmp_path / "a.safetensors"), "cpu"), ParserOnTorch)


@pytest.mark.parametrize("name", ["spn.guidance.gates.bias", "base.head.weight", "spn.decode.1.bias"])
def test_tensors_of_another_network_are_one_sentence(name):
    info, state = weights.read("face")
    info = dataclasses.replace(info, sha256="that of other tensors")
    state[name] = state[name][:-1]
    with pytest.raises(WeightsError, match="does not fit its network"):
        ParserOnCPU(info, state, 1)


def test_the_command_makes_it(tmp_path, monkeypatch, exported):
    onnx = pytest.importorskip("onnx", reason="exporting needs onnx, a part of the extra test")
    from spnrefine.model import export

    ships = parser_on_cpu.PARSE[OF_FACES], parser_on_cpu.DECODE
    made = tmp_path / "parse.onnx", tmp_path / "decode.onnx"
    monkeypatch.setitem(parser_on_cpu.PARSE, OF_FACES, made[0])
    monkeypatch.setattr(parser_on_cpu, "DECODE", made[1])
    export.export_parser(ParsingNetwork(OF_FACES), *made)
    for path, known in zip(made, ships, strict=True):
        held = onnx.load(str(path), load_external_data=False).graph.initializer
        assert all(tensor.external_data and not tensor.raw_data for tensor in held), "weights were left in the graph"
        assert abs(path.stat().st_size - known.stat().st_size) < 5000
    image, _ = draw(75, 101, seed=2)
    for fresh, known in zip(ParserOnCPU(*weights.read("face"), 2)(image), exported(image), strict=True):
        np.testing.assert_allclose(fresh, known, rtol=0, atol=1e-6)


def test_faces_are_parsed_on_the_cpu_without_torch():
    code = (
        "import sys, numpy as np\n"
        "from spnrefine import Parser\n"
        "Parser(device='cpu')(np.zeros((40, 50, 3), np.uint8))\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
