"""Machine code onto torch's device and stream: loaded once a process, launched with little Python."""

import ctypes
import functools
import importlib
from struct import pack
from typing import Any

import torch

from spnrefine.errors import BackendError
from spnrefine.ops.cuda.compiling import Unit, machine_code
from spnrefine.ops.cuda.plan import Launch


def launch(what: Launch, device: torch.device, *pointers: int) -> None:
    """Launch a kernel on torch's current stream of ``device``, compiling and loading its unit when it is new.

    ``pointers`` are addresses in the device's memory, or 0, as many as the kernel's arguments begin with.
    """
    index = device.index
    if index != torch.cuda.current_device():
        with torch.cuda.device(index):
            _launch(what, index, pointers)
    else:
        _launch(what, index, pointers)


def _launch(what: Launch, index: int, pointers: tuple[int, ...]) -> None:
    driver = _driver()
    arguments = ctypes.create_string_buffer(pack(f"{len(pointers)}Q", *pointers) + what.numbers)
    addresses = (ctypes.c_void_p * 1)(ctypes.addressof(arguments))
    kernel = _kernel(what.unit, what.kernel, index)
    for _ in range(2):
        (error,) = driver.cuLaunchKernel(
            kernel, what.blocks, 1, 1, what.threads, 1, 1, what.shared,
            torch.cuda.current_stream(index).cuda_stream, ctypes.addressof(addresses), 0,
        )  # fmt: skip
        if error != driver.CUresult.CUDA_ERROR_INVALID_CONTEXT:
            break
        _enter_context(index)  # a thread in which nothing has run on this device yet
    if error:
        raise BackendError(f"a CUDA kernel could not be launched: {error.name}.")


@functools.cache
def _driver() -> Any:
    return importlib.import_module("cuda.bindings.driver")


@functools.cache
def _kernel(unit: Unit, name: str, index: int) -> Any:
    driver = _driver()
    kernel = _checked(driver.cuLibraryGetKernel(_library(unit, index), name.encode()))
    return driver.CUfunction(int(kernel))  # the driver launches either


@functools.cache
def _library(unit: Unit, index: int) -> Any:
    """Load a unit's machine code, compiling it anew where what lay on disk is of no use."""
    _enter_context(index)
    capability = torch.cuda.get_device_capability(index)
    try:
        return _loaded(machine_code(unit, capability))
    except BackendError:
        return _loaded(machine_code(unit, capability, anew=True))


def _loaded(code: bytes) -> Any:
    return _checked(_driver().cuLibraryLoadData(code, [], [], 0, [], [], 0))


def _enter_context(index: int) -> None:
    """Make the context that torch uses the current thread's."""
    driver = _driver()
    _checked(driver.cuCtxSetCurrent(_checked(driver.cuDevicePrimaryCtxRetain(_checked(driver.cuDeviceGet(index))))))


def _checked(result: tuple) -> Any:
    """Return what a call of the driver returned besides its error."""
    error, *values = result
    if error:
        raise BackendError(f"the CUDA driver failed: {error.name}. A driver older than CUDA 13 needs an update.")
    return values[0] if values else None
