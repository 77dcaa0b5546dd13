import numpy as np
import pytest

from spnrefine.adapt.coarse import MAKERS
from spnrefine.refiner.kinds import kind_of


@pytest.fixture(scope="module")
def good():
    rows, columns = np.mgrid[:240, :300]
    radius = 70 + 9 * np.sin(5 * np.arctan2(rows - 118, columns - 152))
    return np.hypot(rows - 118, columns - 152) < radius


@pytest.mark.parametrize("name", MAKERS)
def test_coarse_masks_are_imprecise_and_no_more(good, name):
    for seed in range(5):
        coarse = MAKERS[name](good, np.random.default_rng(seed))
        assert coarse.shape == good.shape
        assert coarse.dtype == np.float32
        assert coarse.min() >= 0
        assert coarse.max() <= 1
        inside = coarse > 0.5
        assert 0.6 < (inside & good).sum() / (inside | good).sum() < 0.9999


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("low resolution", "soft"),
        ("polygon", "polygon"),
        ("brush", "hard"),
        ("warped", "hard"),
        ("low resolution, hard", "hard"),
    ],
)
def test_kinds_are_told_apart(good, name, kind):
    found = [kind_of(MAKERS[name](good, np.random.default_rng(seed))) for seed in range(5)]
    assert found.count(kind) >= 4


def test_blocks_are_told(good):
    small = good[4::8, 4::8]
    assert kind_of(np.kron(small, np.ones((8, 8))).astype(np.float32)) == "blocks"
    assert kind_of(good.astype(np.float32)) == "hard"


def test_many_parts_are_measured_each_by_its_own_size():
    apart = np.zeros((400, 400), bool)
    apart[20:380:40, 20:380:40] = True
    apart = np.repeat(np.repeat(apart[::20, ::20], 20, 0), 20, 1)  # squares of 20 pixels
    assert apart.any()
    coarse = MAKERS["low resolution"](apart, np.random.default_rng(0)) > 0.5
    assert (coarse & apart).sum() / (coarse | apart).sum() > 0.6
