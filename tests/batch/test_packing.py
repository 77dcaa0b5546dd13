"""Masks in a ledger: what is packed comes back, and what is no mask is none."""

import base64
import json
import zlib

import numpy as np
import pytest

from spnrefine.batch.packing import pack, unpack
from spnrefine.boxes.boxed import Boxed


@pytest.mark.parametrize("place", [(slice(3, 9), slice(70, 100)), (slice(0, 0), slice(0, 0)), (slice(None),) * 2])
def test_what_is_packed_comes_back(place):
    mask = np.zeros((40, 100), bool)
    mask[place] = np.random.default_rng(0).random(mask[place].shape) > 0.3
    np.testing.assert_array_equal(unpack(json.loads(json.dumps(pack(Boxed.of(mask)))), mask.shape), mask)


def test_an_empty_frame_costs_nothing():
    mask = np.zeros((4000, 6000), bool)
    mask[100:110, 100:110] = True
    assert len(json.dumps(pack(Boxed.of(mask)))) < 200


SHAPE = (6, 9)
SQUARE = {"size": [6, 9], "box": [2, 5, 3, 8], "bits": "eJz7/w8AAv4B/g=="}


def zipped(data):
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    "damage",
    [
        {"size": [6, 8]},
        {"size": [6, 9, 1]},
        {"size": [10**9, 10**9]},
        {"size": None},
        {"box": [2, 5, 3]},
        {"box": [2, 5, 3, 10]},
        {"box": [5, 2, 3, 8]},
        {"box": [-1, 2, 3, 8]},
        {"box": [2, 5, 3, "8"]},
        {"box": [2, 5.0, 3, 8]},
        {"box": [2, 5, 3, 4]},
        {"bits": 5},
        {"bits": "eJz7/w8AAv4B/g="},
        {"bits": "eJz7/w8AAv4B/w=="},
        {"bits": zipped(b"")},
        {"bits": zipped(b"123")},
        {"bits": zipped(bytes(2))[:-8]},
    ],
)
def test_what_is_no_mask_of_this_size_is_none(damage):
    assert unpack(SQUARE, SHAPE).area == 15
    assert unpack(SQUARE | damage, SHAPE) is None


def test_bits_that_unfold_without_end_are_not_unfolded(monkeypatch):
    lengths = []
    new = zlib.decompressobj

    class Counted:
        def __init__(self):
            self._own = new()

        def decompress(self, data, most):
            lengths.append(most)
            return self._own.decompress(data, most)

        eof = unused_data = None

    monkeypatch.setattr(zlib, "decompressobj", Counted)
    assert unpack(SQUARE | {"bits": zipped(bytes(10**6))}, SHAPE) is None
    assert lengths == [3]
