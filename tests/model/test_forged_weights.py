"""Weights files that are whole and yet not to be run: numbers that are none, and headers that ask for too much."""

import time

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from spnrefine.errors import WeightsError
from spnrefine.model import inference, layer_weights, storage, weights
from spnrefine.model.config import MOST_CLASSES, MOST_SIDE, Config, SegmenterConfig
from spnrefine.model.on_cpu import NetworkOnCPU
from spnrefine.model.parsing import ParsingNetwork
from spnrefine.model.spn import SPN

pytestmark = pytest.mark.faults

SMALL = Config(channels=2, taps=1, rounds=1, working_side=64)


def forge(path, change_header=lambda header: None, change_tensors=lambda tensors: None, network=SPN, config=SMALL):
    """Write weights with a right checksum, whatever they say."""
    storage.save(network(config), path, provenance={})
    with weights.safe_open(path, framework="pt") as file:
        header = file.metadata()
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    change_header(header)
    change_tensors(tensors)
    header["sha256"] = weights.checksum({key: value.numpy() for key, value in tensors.items()})
    save_file(tensors, path, metadata=header)
    return path


@pytest.mark.parametrize(
    ("tensor", "number"),
    [
        *((tensor, number) for tensor in ("embed.weight", "decode.1.bias") for number in (np.nan, np.inf, -np.inf)),
        *(("guidance.encoder.stem.1.running_var", number) for number in (np.nan, -np.inf, -1)),
    ],
)
def test_numbers_that_are_none_are_refused(tmp_path, run, pair, number, tensor):
    path = forge(tmp_path / "a.safetensors", change_tensors=lambda tensors: tensors[tensor].view(-1)[0:1].fill_(number))
    with pytest.raises(WeightsError, match="NaN or infinite numbers, or variances below 0 \\(1 tensors\\)"):
        storage.load(path)
    result = run(pair[0], "--mask", pair[1], "--model", path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "NaN or infinite" in result.stderr
    assert not list(tmp_path.glob("*_refined.png"))


def test_a_variance_may_be_infinite_but_is_not_written_so(tmp_path):
    """The weights that ship hold some: their channels are constant, and masks depend on that."""
    path = forge(
        tmp_path / "a.safetensors",
        change_tensors=lambda tensors: tensors["guidance.encoder.stem.1.running_var"].fill_(np.inf),
    )
    network = storage.load(path)
    network.guidance.encoder.stem[1].running_var.fill_(1e6)
    storage.save(network, path)
    assert (storage.load(path).guidance.encoder.stem[1].running_var == storage.HIGHEST).all()


def test_numbers_too_large_for_float32_are_refused(tmp_path):
    def enlarge(tensors):
        tensors["decode.1.bias"] = torch.full((1,), 1e300, dtype=torch.float64)

    with pytest.raises(WeightsError, match="NaN or infinite"):
        weights.read(forge(tmp_path / "a.safetensors", change_tensors=enlarge))


@pytest.mark.parametrize("config", [Config(), SMALL], ids=["kernels", "torch"])
def test_an_output_that_is_no_number_is_refused(tmp_path, config):
    """Each number is finite, and their products are not."""

    def enlarge(tensors):
        tensors["embed.weight"] = 3e38 * tensors["embed.weight"].float().sign()

    path = forge(tmp_path / "a.safetensors", change_tensors=enlarge, config=config)
    network = inference.load(str(path), "cpu")
    drawn = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    with pytest.raises(WeightsError, match="puts out NaN or infinite"), np.errstate(all="ignore"):
        network(drawn, (drawn[..., 0] / 255).astype(np.float32))


@pytest.mark.parametrize("bottleneck", [0, 1])
def test_the_bounds_of_layers_hide_no_number_that_is_none(tmp_path, bottleneck):
    """Of each layer that is a kernel's one factor is not a number, and the last layer still says so."""
    path = tmp_path / "a.safetensors"
    storage.save(SPN(Config(bottleneck=bottleneck)), path)
    info, state = weights.read(path)
    starts = *layer_weights.SHALLOW, *layer_weights.JOINING, "guidance.gates.", "decode."
    factors = [key for key, value in state.items() if key.startswith(starts) and value.ndim == 4]
    assert len(factors) == (20 if bottleneck else 17)
    drawn = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    for key in factors:
        wrong = state[key].copy()
        wrong.flat[0] = np.nan
        network = NetworkOnCPU(info, state | {key: wrong}, 1)
        with pytest.raises(WeightsError, match="puts out NaN or infinite"):
            network(drawn, (drawn[..., 0] / 255).astype(np.float32))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rounds", "1000000000"),
        ("rounds", "65"),
        ("channels", "1000000"),
        ("channels", "513"),
        ("working_side", str(MOST_SIDE + 1)),
        ("classes", str(MOST_CLASSES + 1)),
        ("rounds", "0"),
        ("rounds", "-1"),
        ("rounds", "1e3"),
        ("rounds", "9" * 5000),
        ("taps", "2"),
    ],
)
def test_numbers_that_no_network_has_are_refused_at_once(tmp_path, run, pair, name, value):
    path = forge(tmp_path / "a.safetensors", lambda header: header.update({name: value}))
    start = time.perf_counter()
    with pytest.raises(WeightsError, match="header that is incomplete or wrong"):
        weights.describe(path)
    assert time.perf_counter() - start < 5
    result = run(pair[0], "--mask", pair[1], "--model", path)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(("outputs", "side"), [(MOST_CLASSES + 1, 384), (1, MOST_SIDE + 1), (0, 384), (1, 0)])
def test_a_backbones_numbers_are_bounded_too(outputs, side):
    with pytest.raises(ValueError, match="expected 1 to"):
        SegmenterConfig(outputs=outputs, side=side)


def test_the_largest_numbers_are_taken():
    Config(channels=512, rounds=64, working_side=MOST_SIDE, classes=MOST_CLASSES)


@pytest.mark.parametrize(
    "header",
    [
        {"class_names": "5"},
        {"class_names": "[1, 2]"},
        {"class_names": '{"a": 1}'},
        {"class_names": "[" * 50_000},
        {"class_names": "not json"},
        {"provenance": "[]"},
        {"provenance": "null"},
        {"provenance": '{"a":' * 50_000},
        {"architecture": "x" * 100_000},
        {"format_version": "y" * 100_000},
    ],
    ids=lambda header: " ".join(f"{key}={value[:12]}" for key, value in header.items()),
)
def test_odd_metadata_is_one_short_sentence(tmp_path, run, pair, header):
    path = forge(tmp_path / "a.safetensors", lambda found: found.update(header))
    result = run(pair[0], "--mask", pair[1], "--model", path)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {path} ")
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 1000
    assert "bug" not in result.stderr


def test_names_of_classes_are_as_many_as_classes(tmp_path):
    config = Config(channels=2, taps=1, rounds=1, working_side=64, classes=3)
    path = forge(
        tmp_path / "a.safetensors",
        lambda header: header.update(class_names='["a", "b"]'),
        network=ParsingNetwork,
        config=config,
    )
    with pytest.raises(WeightsError, match="2 names, expected one for each class"):
        weights.describe(path)
