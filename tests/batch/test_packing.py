import json

import numpy as np
import pytest

from spnrefine.batch.packing import pack, unpack


@pytest.mark.parametrize("place", [(slice(3, 9), slice(70, 100)), (slice(0, 0), slice(0, 0)), (slice(None),) * 2])
def test_what_is_packed_comes_back(place):
    mask = np.zeros((40, 100), bool)
    mask[place] = np.random.default_rng(0).random(mask[place].shape) > 0.3
    np.testing.assert_array_equal(unpack(json.loads(json.dumps(pack(mask)))), mask)


def test_an_empty_frame_costs_nothing():
    mask = np.zeros((4000, 6000), bool)
    mask[100:110, 100:110] = True
    assert len(json.dumps(pack(mask))) < 200
