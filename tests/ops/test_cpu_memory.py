import gc

import numpy as np
import pytest
import torch

from spnrefine.ops import cpu_memory


@pytest.fixture(autouse=True)
def nothing_kept():
    cpu_memory._free.clear()
    yield
    cpu_memory._free.clear()


def test_memory_comes_back_when_the_last_view_is_gone():
    array = cpu_memory.empty((1024, 1024), np.float32)
    where = array.ctypes.data
    tensor = torch.from_numpy(array)[5:]
    del array
    gc.collect()
    assert cpu_memory.empty((1024, 1024), np.float32).ctypes.data != where
    del tensor
    gc.collect()
    assert cpu_memory.empty((1023, 1024), np.float32).ctypes.data == where


def test_small_arrays_and_bounds(monkeypatch):
    monkeypatch.setattr(cpu_memory, "KEPT", 3 * cpu_memory.LARGE)
    arrays = [cpu_memory.empty((cpu_memory.LARGE,), np.uint8) for _ in range(5)]
    arrays.append(cpu_memory.empty((10,), np.uint8))
    assert len({array.ctypes.data for array in arrays}) == 6
    arrays.clear()
    gc.collect()
    assert [memory.nbytes for memory in cpu_memory._free] == [cpu_memory.LARGE] * 3
    large = cpu_memory.empty((3 * cpu_memory.LARGE,), np.uint8)  # none of those kept holds it
    assert len(cpu_memory._free) == 3
    del large
    assert [memory.nbytes for memory in cpu_memory._free] == [3 * cpu_memory.LARGE]
