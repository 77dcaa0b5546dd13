"""Large hard masks are kept as bools, their files' pixels as bits, and are what they were to all who ask."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spnrefine.files import masks, packed
from spnrefine.files.packed import Bits, compact, keep_as_bits
from spnrefine.files.rasters import Raster
from spnrefine.job import job


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


@pytest.mark.parametrize(("low", "high"), [(0, 255), (255, 0), (0, 1), (7, 3)])
def test_pixels_of_two_values_are_kept_as_bits(low, high):
    pixels = np.where(np.random.default_rng(0).random((5, 7, 1)) > 0.5, low, high).astype(np.uint8)
    raster = Raster(pixels, "PNG")
    keep_as_bits(raster, low, high)
    assert isinstance(vars(raster)["pixels"], Bits)
    for each in (raster, replace(raster, format="TIFF"), pickle.loads(pickle.dumps(raster))):
        assert each.pixels.dtype == np.uint8
        assert np.array_equal(each.pixels, pixels)


@pytest.mark.parametrize("pixels", [np.full((2, 2, 1), 3, np.uint8), np.zeros((2, 2, 1), bool), np.zeros((2, 2, 2))])
def test_other_pixels_are_kept_as_they_are(pixels):
    raster = Raster(pixels, "PNG")
    keep_as_bits(raster, 0, 1)
    assert raster.pixels is pixels


@pytest.mark.parametrize("soft", [False, True])
def test_what_is_written_of_a_packed_mask_is_the_same(soft, monkeypatch):
    photograph, mask = Path("examples/coffee.jpg"), Path("examples/coffee_mask.png")
    settings = job.Settings(soft=soft)

    def written():
        loaded = job.load(photograph, mask, settings)
        refined = job.keep(loaded, settings, job.Record("", ""))
        moved = replace(refined, after=np.roll(refined.after, 3, 0), probability=np.roll(refined.probability, 3, 0))
        return loaded, job.encode(loaded, job.without_probabilities(loaded, moved, settings), settings)

    packed_one, first = written()
    monkeypatch.setattr(packed, "LARGE", 1 << 30)
    other, second = written()
    assert isinstance(vars(packed_one.mask.raster)["pixels"], Bits)
    assert not isinstance(vars(other.mask.raster)["pixels"], Bits)
    assert first == second != mask.read_bytes()
