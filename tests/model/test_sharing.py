"""Networks of one weights file are one, until the file is another or nobody holds them."""

import gc
import os
import shutil
import warnings
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_shares_nothing_as_threads_stay_behind(own) -> None:
    network = inference.load(str(own), "cpu", 1)
    with warnings.catch_warnings():  # this process may have threads
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        code = 2
        try:
            code = int(inference.load(str(own), "cpu", 1) is network)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert inference.load(str(own), "cpu", 1) is network
