"""Networks that ONNX Runtime has put in order once are kept so, and run as they did."""

import numpy as np
import pytest

from spnrefine import cache
from spnrefine.model import sessions, weights
from spnrefine.model.matte_on_cpu import MATTE


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    return tmp_path / "kept/spnrefine"


@pytest.fixture(scope="module")
def matte():
    return weights.read("matte")


def run(session, inputs):
    return session.run(None, {"inputs": inputs})[0]


def test_a_graph_is_kept_and_does_the_same(kept, matte):
    info, state = matte
    inputs = np.random.default_rng(0).random((1, sessions_channels(), 32, 48), np.float32)
    first = run(sessions.session(MATTE, state, 1, info.sha256), inputs)
    (file,) = kept.glob("*.graph")
    second = run(sessions.session(MATTE, {}, 1, info.sha256), inputs)  # of what was kept, tensors and all
    assert np.array_equal(first, second)
    file.write_bytes(file.read_bytes()[:-1])
    assert np.array_equal(run(sessions.session(MATTE, state, 1, info.sha256), inputs), first)


def sessions_channels():
    from spnrefine.model.matte_inputs import CHANNELS

    return CHANNELS


def test_graphs_of_other_weights_have_other_names_and_few_are_kept(kept, matte, monkeypatch):
    monkeypatch.setattr(sessions, "MOST_KEPT", 2)
    info, state = matte
    for number in range(4):
        sessions.session(MATTE, state, 1, f"{info.sha256}{number}")
    assert len(list(kept.glob("*.graph"))) == 2


def test_where_none_can_be_kept_nothing_is_said(matte, monkeypatch, caplog):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc/nowhere")
    info, state = matte
    assert sessions.session(MATTE, state, 1, info.sha256)
    assert caplog.text == ""


def test_where_there_is_no_place_for_temporary_files_networks_run_all_the_same(kept, matte, monkeypatch):
    def none(*_, **__):
        raise FileNotFoundError("no place for temporary files")

    monkeypatch.setattr(sessions.tempfile, "TemporaryDirectory", none)
    info, state = matte
    assert sessions.session(MATTE, state, 1, info.sha256)
    assert cache.contents().files == 0
