"""Machine code onto torch's device and stream: loaded once a process, launched with little Python."""

import ctypes
import functools
import importlib
from struct import pack
from typing import Any

import torch

from spnrefine.errors import BackendError
from spnrefine.ops.cuda.compiling import Unit, machine_code, precompile
from spnrefine.ops.cuda.plan import Launch

INVALID_CONTEXT = 201
"""What the driver calls an error of that name."""

_Packed = ctypes.c_char_p * 1


def load(units: list[Unit], index: int) -> None:
    """Load units for good, having compiled at the same time those that are new."""
    if len(units) > 1:
        precompile(units, torch.cuda.get_device_capability(index))
    for unit in units:
        _library(unit, index)


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
    arguments = _Packed(pack(f"{len(pointers)}Q", *pointers) + what.numbers)  # the driver copies them as it launches
    kernel, run = _kernel(what.unit, what.kernel, index), _driver().cuLaunchKernel
    shape = what.blocks, 1, 1, what.threads, 1, 1, what.shared
    stream = torch._C._cuda_getCurrentRawStream(index)  # torch.cuda's makes an object first, which takes longer
    (error,) = run(kernel, *shape, stream, ctypes.addressof(arguments), 0)
    if error.value == INVALID_CONTEXT:  # in this thread nothing has run on this device yet
        _enter_context(index)
        (error,) = run(kernel, *shape, stream, ctypes.addressof(arguments), 0)
    if error.value:
        raise BackendError(f"A CUDA kernel could not be launched: {error.name}.")


@functools.cache
def _driver() -> Any:
    return importlib.import_module("cuda.bindings.driver")


@functools.cache
def _kernel(unit: Unit, name: str, index: int) -> Any:
    """Load a kernel for good, so that nothing is left to do when a launch is captured in a graph."""
    driver = _driver()
    kernel = _checked(driver.cuLibraryGetKernel(_library(unit, index), name.encode()))
    _enter_context(index)
    return _checked(driver.cuKernelGetFunction(kernel))


@functools.cache
def _library(unit: Unit, index: int) -> Any:
    """Load a unit's machine code, compiling it anew where what lay on disk is of no use."""
    _enter_context(index)
    capability = torch.cuda.get_device_capability(index)
    code = machine_code(unit, capability)
    try:
        return _loaded(code)
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
    if error.value:
        raise BackendError(f"The CUDA driver failed ({error.name}): update it if it is older than CUDA 13.")
    return values[0] if values else None
