"""The exported network without torch against the network in torch, and which of them is loaded when."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch

from spnrefine.errors import BackendError, WeightsError
from spnrefine.model import inference, storage, weights
from spnrefine.model.config import Config
from spnrefine.model.on_cpu import NetworkOnCPU
from spnrefine.model.on_torch import NetworkOnTorch
from spnrefine.model.spn import SPN
from tests.model.make_check import draw


@pytest.fixture(scope="module")
def exported():
    return inference.load("general", "cpu")


@pytest.fixture(scope="module")
def in_torch():
    return NetworkOnTorch("general", "cpu")


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (31, 33), (75, 101), (64, 96), (512, 320)])
def test_exported_network_puts_out_what_torch_does(exported, in_torch, size):
    image, coarse = draw(*(max(side, 16) for side in size), seed=7)
    image, coarse = image[: size[0], : size[1]], coarse[: size[0], : size[1]] / np.float32(255)
    refined = exported(image, coarse)
    assert isinstance(exported, NetworkOnCPU)
    assert (refined.shape, refined.dtype) == (size, np.float32)
    np.testing.assert_allclose(refined, in_torch(image, coarse), rtol=0, atol=1e-4)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_the_result(exported, threads):
    image, coarse = draw(96, 128, seed=8)
    coarse = coarse / np.float32(255)
    np.testing.assert_allclose(
        inference.load("general", "cpu", threads)(image, coarse), exported(image, coarse), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("bottleneck", [0, 1])
def test_weights_of_any_training_run_on_the_exported_network(tmp_path, bottleneck):
    torch.manual_seed(0)
    model = SPN(Config(rounds=1, working_side=64, bottleneck=bottleneck)).eval()
    storage.save(model, tmp_path / "mine.safetensors")
    image, coarse = draw(64, 80, seed=9)
    coarse = coarse / np.float32(255)
    loaded = inference.load(str(tmp_path / "mine.safetensors"), "cpu")
    assert isinstance(loaded, NetworkOnCPU)
    expected = NetworkOnTorch(str(tmp_path / "mine.safetensors"), "cpu")(image, coarse)
    np.testing.assert_allclose(loaded(image, coarse), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("size", "bottleneck"), [((64, 80), 0), ((33, 50), 1)])
def test_a_network_that_is_told_runs_exported_too(tmp_path, size, bottleneck):
    torch.manual_seed(0)
    storage.save(SPN(Config(knows_off=1, bottleneck=bottleneck)).eval(), tmp_path / "told.safetensors")
    image, coarse = draw(*size, seed=9)
    coarse = coarse / np.float32(255)
    loaded = inference.load(str(tmp_path / "told.safetensors"), "cpu")
    assert isinstance(loaded, NetworkOnCPU)
    in_torch = NetworkOnTorch(str(tmp_path / "told.safetensors"), "cpu")
    for off in (0.0, -0.8, 1.2):
        np.testing.assert_allclose(loaded(image, coarse, off), in_torch(image, coarse, off), rtol=0, atol=1e-4)
    np.testing.assert_array_equal(loaded(image, coarse), loaded(image, coarse, 0.0))
    assert np.abs(loaded(image, coarse, 1.2) - loaded(image, coarse, -0.8)).max() > 1e-3


@pytest.mark.parametrize("config", [Config(taps=1), Config(channels=8)])
def test_other_configurations_run_in_torch(tmp_path, config):
    storage.save(SPN(config), tmp_path / "mine.safetensors")
    loaded = inference.load(str(tmp_path / "mine.safetensors"), "cpu")
    assert isinstance(loaded, NetworkOnTorch)
    assert loaded(np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50), np.float32)).shape == (40, 50)


@pytest.mark.parametrize("change", ["missing", "more", "size"])
def test_tensors_that_do_not_fit_are_refused(change):
    info, state = weights.read("general")
    info = dataclasses.replace(info, sha256="that of other tensors")
    if change == "missing":
        del state["embed.weight"]
    elif change == "more":
        state["embed.more"] = np.zeros(3, np.float32)
    else:
        state["decode.1.bias"] = np.zeros(3, np.float32)
    with pytest.raises(WeightsError, match="does not fit its network"):
        NetworkOnCPU(info, state, 1)


def test_the_command_makes_the_exported_network(tmp_path, monkeypatch, exported):
    onnx = pytest.importorskip("onnx", reason="exporting needs onnx, a part of the extra test")
    from spnrefine.model import export, on_cpu

    ships, made = on_cpu.DEEP[1], tmp_path / "deep.onnx"
    monkeypatch.setitem(on_cpu.DEEP, 1, made)
    export.export(SPN(Config(bottleneck=1)), made)
    held = onnx.load(str(made), load_external_data=False).graph.initializer
    assert all(tensor.external_data and not tensor.raw_data for tensor in held), "weights were left in the graph"
    assert abs(made.stat().st_size - ships.stat().st_size) < 5000
    image, coarse = draw(75, 101, seed=2)
    coarse = coarse / np.float32(255)
    fresh = NetworkOnCPU(*weights.read("general"), 2)
    np.testing.assert_allclose(fresh(image, coarse), exported(image, coarse), rtol=0, atol=1e-6)


def test_refining_on_the_cpu_imports_no_torch_and_compiles_nothing_anew():
    code = (
        "import sys, numpy as np\n"
        "from spnrefine import refine\n"
        "mask = np.zeros((40, 50), np.uint8); mask[10:30, 10:30] = 255\n"
        "refine(np.zeros((40, 50, 3), np.uint8), mask, device='cpu')\n"
        "print({'torch', 'numba.np.arraymath'} & set(sys.modules))\n"  # the latter: whatever Numba compiles
    )
    exec(code, {"print": lambda _: None})  # now its kernels are kept
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture
def devices(monkeypatch):
    """Say how many CUDA devices there are, and why they are of no use."""
    return lambda *found: monkeypatch.setattr(inference, "_cuda_devices", lambda: found)


def test_auto_falls_back_to_the_cpu_with_one_line_that_says_why(devices, caplog):
    devices(2, "the package cuda-bindings is missing")
    assert inference.resolve_device("auto") == "cpu"
    assert caplog.messages == ["The GPU is not used: the package cuda-bindings is missing."]
    with pytest.raises(BackendError, match="but the package cuda-bindings is missing: mend that, or use cpu or auto"):
        inference.resolve_device("cuda:1")
    devices(0, "the driver is too old")
    with pytest.raises(BackendError, match="'cuda', but the driver is too old: mend"):
        inference.resolve_device("cuda")
    assert inference.resolve_device("cpu") == "cpu"


def test_devices_that_are_of_use(devices, caplog):
    devices(2, None)
    assert [inference.resolve_device(word) for word in ("auto", "cuda", "cuda:1")] == ["cuda", "cuda", "cuda:1"]
    devices(0, None)
    assert inference.resolve_device("auto") == "cpu"
    with pytest.raises(BackendError, match="torch sees 0 CUDA devices"):
        inference.resolve_device("cuda")
    assert not caplog.messages
