"""Networks of one weights file are one, until the file is another or nobody holds them."""

import gc
import shutil
import weakref

import numpy as np
import pytest

from spnrefine.errors import WeightsError
from spnrefine.model import inference, weights


@pytest.fixture
def own(tmp_path):
    return shutil.copy(weights.find("general"), tmp_path / "own.safetensors")


def test_those_who_ask_alike_share(own) -> None:
    network = inference.load(str(own), "cpu", 1)
    assert inference.load(str(own.parent / ".." / own.parent.name / own.name), "cpu", 1) is network
    assert inference.load(str(own), "cpu", 2) is not network


def test_nobody_holds_nothing_is_kept(own) -> None:
    gone = weakref.ref(inference.load(str(own), "cpu", 1))
    gc.collect()
    assert gone() is None


def test_another_file_under_the_name_is_loaded(own) -> None:
    network = inference.load(str(own), "cpu", 1)
    before = weights.describe(own)
    shutil.copy(weights.find("broad"), own)
    assert weights.describe(own).sha256 != before.sha256
    other = inference.load(str(own), "cpu", 1)
    assert other is not network
    image, coarse = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.float32)
    coarse[10:30, 10:30] = 1
    assert not np.array_equal(other(image, coarse), network(image, coarse))
    own.write_bytes(own.read_bytes()[:-1])
    with pytest.raises(WeightsError):
        inference.load(str(own), "cpu", 1)
