"""How the CUDA kernels are launched, with a driver and a device that are made up: what it is told, and how often."""

import ctypes
import struct
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from spnrefine.errors import BackendError
from spnrefine.ops import propagate
from spnrefine.ops.cuda import launching, tensors
from spnrefine.ops.directions import ALL_DIRECTIONS


class Driver:
    """Notes what is launched, and answers with errors while there are any."""

    def __init__(self):
        self.launches, self.pointers, self.errors, self.entered = [], [], [], []

    def cuLaunchKernel(self, kernel, *arguments):  # noqa: N802  # the driver's own name
        *shape, stream, addresses, extra = arguments
        (packed,) = (ctypes.c_void_p * 1).from_address(addresses)
        self.launches.append((kernel, tuple(shape), stream, packed, extra))
        pointers = struct.unpack("5Q", ctypes.string_at(packed, 40))
        self.pointers.append(pointers)
        return (self.errors.pop(0) if self.errors else SimpleNamespace(value=0, name="CUDA_SUCCESS"),)


@pytest.fixture
def driver(monkeypatch):
    driver = Driver()
    monkeypatch.setattr(launching, "_driver", lambda: driver)
    monkeypatch.setattr(launching, "_kernel", lambda unit, name, index: f"{name} on {index}")
    monkeypatch.setattr(launching, "_enter_context", driver.entered.append)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch._C, "_cuda_getCurrentRawStream", lambda index: 70 + index, raising=False)
    launch = launching.launch  # tensors of the CPU stand for the device's
    monkeypatch.setattr(launching, "launch", lambda what, device, *rest: launch(what, SimpleNamespace(index=1), *rest))
    return driver


def operands():
    return torch.zeros(1, 4, 16, 16), torch.zeros(1, 4, 3, 4, 16, 16)


def test_a_round_is_two_launches_on_torchs_stream(driver):
    x, guidance = operands()
    out, _ = tensors.forward(x, guidance, ALL_DIRECTIONS, "bounded", save=False)
    (scans, merging) = driver.launches
    assert scans[:3] == ("forward on 1", (16, 1, 1, 32, 1, 1, 2 * 2 * 34 * 4), 71)
    assert merging[:3] == ("merge on 1", (1, 1, 1, 256, 1, 1, 0), 71)
    scanning, merged = driver.pointers
    assert scanning[3:] == (0, 0)  # lines are whole: nothing is carried from launch to launch
    assert merged[1] == out.data_ptr()
    assert merged[2] == 0  # it saves nothing


def test_each_launch_of_lines_in_pieces_goes_on_where_the_one_before_ended(driver):
    x, guidance = torch.zeros(1, 8, 256, 33), torch.zeros(1, 96, 256, 33)
    last = {"memory_format": torch.channels_last}
    tensors.forward(x.to(**last), guidance.to(**last).unflatten(1, (4, 3, 8)), ALL_DIRECTIONS, "bounded", save=False)
    *scans, merging = driver.launches
    assert [kernel for kernel, *_ in scans] == ["forward on 1"] * 16
    assert merging[0] == "merge on 1"
    carried = [pointers[3:] for pointers in driver.pointers[:-1]]
    assert (carried[0][0], carried[-1][1]) == (0, 0)
    assert all(before[1] == after[0] != after[1] for before, after in pairwise(carried))


def test_a_thread_that_has_no_context_yet_enters_torchs(driver):
    driver.errors = [SimpleNamespace(value=launching.INVALID_CONTEXT, name="CUDA_ERROR_INVALID_CONTEXT")]
    tensors.forward(*operands(), ALL_DIRECTIONS, "bounded", save=False)
    assert driver.entered == [1]
    assert [kernel for kernel, *_ in driver.launches] == ["forward on 1", "forward on 1", "merge on 1"]


def test_what_the_driver_refuses_is_said(driver):
    driver.errors = [SimpleNamespace(value=700, name="CUDA_ERROR_ILLEGAL_ADDRESS")]
    with pytest.raises(BackendError, match=r"^A CUDA kernel could not be launched: CUDA_ERROR_ILLEGAL_ADDRESS"):
        tensors.forward(*operands(), ALL_DIRECTIONS, "bounded", save=False)


def test_on_the_cpu_nothing_is_asked_of_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("asked"))
    assert propagate(*operands()).shape == (1, 4, 16, 16)
