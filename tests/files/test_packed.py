"""Large hard masks are kept as bools, and are probabilities to all who ask."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from spnrefine.files import masks, packed
from spnrefine.files.packed import compact


@pytest.fixture(autouse=True)
def all_are_large(monkeypatch):
    monkeypatch.setattr(packed, "LARGE", 12)


def test_a_hard_mask_is_kept_as_bools_and_read_as_probabilities():
    mask = masks.of_array(np.eye(4, dtype=bool))
    for each in (mask, replace(mask, foreground=2), pickle.loads(pickle.dumps(mask))):
        assert compact(each).dtype == bool
        assert each.probability.dtype == np.float32
        assert np.array_equal(each.probability, np.eye(4))
        assert each.shape == (4, 4)


@pytest.mark.parametrize("value", [0.5, 1e-8, np.nan])
def test_one_pixel_of_a_probability_keeps_a_mask_as_it_is(value):
    probability = np.eye(4, dtype=np.float32)
    probability[0, 1] = value
    mask = masks.of_array(probability)
    assert np.array_equal(compact(mask), probability, equal_nan=True)
    assert compact(mask).dtype == np.float32


def test_a_small_mask_is_kept_as_it_is():
    assert compact(masks.of_array(np.eye(3, dtype=bool))).dtype == np.float32
