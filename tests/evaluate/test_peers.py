import sys

import numpy as np
import pytest

from spnrefine.errors import BackendError, MissingExtraError
from spnrefine.evaluate import peers
from spnrefine.evaluate.metrics import iou
from spnrefine.evaluate.peers import graph_cut
from spnrefine.evaluate.peers.peer import Peer, belief

INSTALLED = peers.available()
NEVER_HERE = Peer("telepathy", "none", "nowhere", lambda image, coarse: coarse, "no_such_module", "no-such-package")


@pytest.fixture(params=peers.PEERS)
def peer(request):
    if request.param not in INSTALLED:
        pytest.skip("needs the extra 'peers'")
    return INSTALLED[request.param]


def two_colours(side=96):
    """A blue square on red, faintly noisy, and its truth."""
    truth = np.zeros((side, side), bool)
    truth[side // 4 : -side // 4, side // 4 : -side // 4] = True
    noise = np.random.default_rng(0).integers(0, 4, (side, side, 3))
    return (np.where(truth[..., None], (30, 60, 200), (200, 60, 30)) + noise).astype(np.uint8), truth


def moved(truth, step=1):
    return np.roll(truth, step, (0, 1))


def test_each_moves_the_edge_to_where_the_colours_change(peer):
    image, truth = two_colours()
    coarse = moved(truth)
    refined = peer(image, coarse.astype(np.float32))
    assert refined.shape == truth.shape
    assert refined.dtype == np.float32
    assert refined.min() >= 0
    assert refined.max() <= 1
    before, after = iou(coarse, truth), iou(refined > 0.5, truth)
    assert after > before + 0.02, f"{before:.3f} before, {after:.3f} after"


def test_each_takes_soft_masks_and_leaves_its_inputs_alone(peer):
    image, truth = two_colours(48)
    soft = np.clip(0.1 + 0.8 * moved(truth), 0, 1).astype(np.float32)
    given = image.copy(), soft.copy()
    first = peer(image, soft)
    assert np.array_equal(image, given[0])
    assert np.array_equal(soft, given[1])
    assert np.array_equal(first, peer(image, soft)), "the same twice"
    assert (first > 0.5)[truth].mean() > 0.9


@pytest.mark.parametrize("value", [0, 1])
def test_each_takes_an_empty_and_a_full_mask(peer, value):
    image, _ = two_colours(32)
    refined = peer(image, np.full((32, 32), value, np.float32))
    assert np.isfinite(refined).all()


def test_each_says_its_settings_and_who_published_them(peer):
    assert any(letter.isdigit() for letter in peer.settings)
    assert len(peer.source) > 5


def test_a_hard_mask_is_believed_at_seven_tenths():
    hard = np.array([[0, 1]], np.float32)
    soft = np.array([[0, 0.2]], np.float32)
    assert belief(hard).tolist() == [[pytest.approx(0.3), pytest.approx(0.7)]]
    assert belief(soft) is soft


def test_links_of_the_graph_by_hand():
    image = np.zeros((2, 3, 3), np.uint8)
    image[0, 1] = (6, 8, 0)  # 10 away from black: exp(-100 / 200)
    edge = 20 * np.exp(-0.5)
    assert graph_cut.link_weights(image, 0).ravel() == pytest.approx([20, edge, 20])
    assert graph_cut.link_weights(image, 1) == pytest.approx(np.array([[edge, edge], [20, 20]]))


@pytest.mark.skipif("graph-cut" not in INSTALLED, reason="needs the extra 'peers'")
@pytest.mark.parametrize("seed", range(8))
def test_graph_cut_finds_the_least_energy_of_all_labellings(seed):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 25, (3, 4, 3)).astype(np.uint8)
    # certain enough that the links, 20 at most, do not always win
    p = np.where(rng.random((3, 4)) < 0.5, 1e-5, rng.random((3, 4))).astype(np.float32)
    p = np.where(rng.random((3, 4)) < 0.4, 1 - p, p).astype(np.float32)
    labellings = ((np.arange(2**12)[:, None] >> np.arange(12)) & 1).reshape(-1, 3, 4).astype(bool)
    unary = np.where(labellings, graph_cut.negative_log(p), graph_cut.negative_log(1 - p)).sum((1, 2))
    links = sum(
        (np.diff(labellings, axis=axis + 1) * graph_cut.link_weights(image, axis)).sum((1, 2)) for axis in (0, 1)
    )
    best = labellings[np.argmin(unary + links)]
    assert np.array_equal(INSTALLED["graph-cut"](image, p) > 0.5, best)


def test_peers_are_chosen_by_name():
    assert list(peers.choose("grabcut, domain-transform")) == ["grabcut", "domain-transform"]
    assert peers.choose("all") == INSTALLED
    assert {"grabcut", "joint-bilateral", "guided-filter", "domain-transform"} <= set(INSTALLED)
    with pytest.raises(BackendError, match="'grabcat', which is no peer: expected all or some of grabcut"):
        peers.choose("grabcat")


def test_a_peer_that_is_missing_is_an_error_only_when_named(monkeypatch):
    monkeypatch.setitem(peers.PEERS, "telepathy", NEVER_HERE)
    assert "telepathy" not in peers.choose("all")
    with pytest.raises(MissingExtraError, match="telepathy, which needs no-such-package"):
        peers.choose("grabcut,telepathy")


def test_choosing_peers_imports_none_of_the_extra(monkeypatch):
    for module in ("pydensecrf", "maxflow"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    peers.choose("all")
    assert not {"pydensecrf", "maxflow"} & set(sys.modules)
