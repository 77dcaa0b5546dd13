import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from spnrefine.errors import WeightsError
from spnrefine.model import storage, weights
from spnrefine.model.config import Config
from spnrefine.model.spn import SPN


@pytest.fixture
def saved(tmp_path):
    model = SPN(Config(channels=2, taps=1, rounds=1, working_side=64))
    model.add_auxiliary()
    path = tmp_path / "mine.safetensors"
    storage.save(model, path, provenance={"data": ["drawn"], "steps": 3})
    return model, path


def rewrite(path, change_header=lambda header: None, change_tensors=lambda tensors: None):
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
    tensors = load_file(path)
    change_header(header)
    change_tensors(tensors)
    save_file(tensors, path, metadata=header)


def test_header_tells_all_without_the_tensors(saved):
    model, path = saved
    info = weights.describe(path)
    assert info.config == model.config
    assert (info.task, info.name, info.provenance) == ("binary", "mine", {"data": ["drawn"], "steps": 3})
    assert info.parameters == sum(p.numel() for n, p in model.named_parameters() if not n.startswith("auxiliary"))


def test_what_is_saved_is_loaded_to_half_precision(saved):
    model, path = saved
    loaded = storage.load(path)
    assert not loaded.training
    for name, value in loaded.named_parameters():
        assert torch.equal(value, model.get_parameter(name).half().float()), name


def test_loading_draws_nothing_at_random_and_leaves_no_tensor_without_numbers(saved):
    _, path = saved
    before = torch.get_rng_state()
    state = storage.load(path).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert {str(value.device) for value in state.values()} == {"cpu"}
    counters = [value.item() for key, value in state.items() if key.endswith("num_batches_tracked")]
    assert counters
    assert set(counters) == {0}


def test_a_network_in_channels_last_memory_is_saved_alike(saved, tmp_path):
    model, path = saved
    storage.save(model.to(memory_format=torch.channels_last), tmp_path / "other.safetensors")
    assert weights.describe(tmp_path / "other.safetensors").sha256 == weights.describe(path).sha256


def test_no_temporary_file_stays(saved):
    _, path = saved
    assert [p.name for p in path.parent.iterdir()] == ["mine.safetensors"]


def test_shipped_weights_are_found_by_name_and_match_their_card():
    assert "general" in weights.available()
    info = weights.describe("general")
    storage.load("general")
    card = (info.path.parent / "CARD.md").read_text()
    assert info.sha256 in card, "the card must repeat the checksum of the weights beside it"
    assert f"{info.parameters / 1e6:.2f} M parameters" in card


@pytest.mark.parametrize("name", ["nothing", "folder/nothing.safetensors"])
def test_missing_weights_name_those_that_ship(name):
    with pytest.raises(WeightsError, match="general"):
        storage.load(name)


@pytest.mark.parametrize("keep", [0, 5, 100, -1000])
def test_truncated_weights_are_one_sentence(saved, keep):
    _, path = saved
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        storage.load(path)


def test_a_flipped_bit_is_noticed(saved):
    _, path = saved
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="checksum"):
        storage.load(path)


@pytest.mark.parametrize(("key", "value"), [("architecture", "unet"), ("format_version", "99")])
def test_another_architecture_or_format_is_refused(saved, key, value):
    _, path = saved
    rewrite(path, lambda header: header.update({key: value}))
    with pytest.raises(WeightsError, match=value):
        storage.load(path)


@pytest.mark.parametrize("key", ["channels", "task", "sha256", "provenance"])
def test_an_incomplete_header_is_refused(saved, key):
    _, path = saved
    rewrite(path, lambda header: header.pop(key))
    with pytest.raises(WeightsError, match="header that is incomplete"):
        storage.load(path)


def test_tensors_of_another_size_are_refused(saved):
    _, path = saved
    rewrite(path, lambda header: header.update(channels="4"))
    with pytest.raises(WeightsError, match="does not fit"):
        storage.load(path)


def test_a_safetensors_file_of_another_program_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="architecture None"):
        weights.describe(path)


def test_provenance_is_json(saved):
    _, path = saved
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["provenance"])["steps"] == 3
