import gc

import numpy as np
import pytest
import torch

from spnrefine.simd import memory


@pytest.fixture(autouse=True)
def nothing_kept():
    memory._free.clear()
    yield
    memory._free.clear()


def test_memory_comes_back_when_the_last_view_is_gone():
    array = memory.empty((1024, 1024), np.float32)
    where = array.ctypes.data
    tensor = torch.from_numpy(array)[5:]
    del array
    gc.collect()
    assert memory.empty((1024, 1024), np.float32).ctypes.data != where
    del tensor
    gc.collect()
    assert memory.empty((1023, 1024), np.float32).ctypes.data == where


def test_small_arrays_and_bounds(monkeypatch):
    monkeypatch.setattr(memory, "KEPT", 3 * memory.LARGE)
    arrays = [memory.empty((memory.LARGE,), np.uint8) for _ in range(5)]
    arrays.append(memory.empty((10,), np.uint8))
    assert len({array.ctypes.data for array in arrays}) == 6
    arrays.clear()
    gc.collect()
    assert [memory.nbytes for memory in memory._free] == [memory.LARGE] * 3
    large = memory.empty((3 * memory.LARGE,), np.uint8)  # none of those kept holds it
    assert len(memory._free) == 3
    del large
    assert [memory.nbytes for memory in memory._free] == [3 * memory.LARGE]


def test_arrays_of_many_sizes_in_turn_share_memory():
    sizes = [(4 - i % 3) * memory.LARGE for i in range(12)]
    for size in sizes:
        memory.empty((size,), np.uint8)
        gc.collect()
    assert [kept.nbytes for kept in memory._free] == [4 * memory.LARGE]
    memory.release()
    assert memory._free == []


@pytest.mark.parametrize("length", [48, memory.LARGE // 64])
def test_scratch_begins_with_cache_lines_and_has_margins_of_zeros(length):
    for _ in range(3):  # the memory of the last is used again
        array = memory.scratch(2, 5 * length + 3, ((length, 3, length),))
        assert array.dtype == np.float32
        assert [array[i].ctypes.data % 64 for i in range(2)] == [0, 0]
        rows = array[:, length : 4 * length].reshape(2, 3, length)
        assert not rows[..., :16].any()
        assert not rows[..., -16:].any()
        array[:] = 1


def test_copies_begin_with_a_cache_line():
    numbers = np.arange(7, dtype=np.float32)[1:]
    copy = memory.placed(numbers)
    assert copy.ctypes.data % 64 == 0
    assert np.array_equal(copy, numbers)
