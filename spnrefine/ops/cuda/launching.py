"""From a kernel in Python to work on torch's current stream: Numba compiles, cuda.core launches.

Kernels take bare pointers and 64-bit integers, so that a launch builds no array wrappers; compiled kernels are kept for
the life of the process. In Numba's simulator the same kernels run on NumPy views of CPU tensors.
"""

import functools
import importlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch
from numba import cuda
from torch import Tensor

from spnrefine.ops.cuda.storage import SIMULATED

Config = tuple[Any, ...]
"""The arguments of a kernel's builder: all that is settled when it is compiled."""


def launch(
    build: Callable,
    config: Config,
    *,
    blocks: int,
    threads: int,
    shared: int = 0,
    tensors: Sequence[Tensor],
    numbers: Sequence[int | tuple[int, ...]],
) -> None:
    """Launch the kernel that ``build(*config)`` returns, compiling it when it is new.

    Parameters
    ----------
    threads : threads of a block; kernels are compiled for their number.
    shared : bytes of dynamic shared memory.
    tensors : all on one device; the kernel sees each one's first element and counts elements from there.
    numbers : integers and tuples of integers, after the tensors.
    """
    if SIMULATED:
        kernel, _ = _built(build, config)
        cuda.jit(kernel)[blocks, threads, 0, shared](*map(_flat_numpy, tensors), *numbers)
        return
    flat = [n for number in numbers for n in (number if isinstance(number, tuple) else (number,))]
    device = tensors[0].device
    with torch.cuda.device(device):
        kernel = _loaded(build, config, threads, device.index)
        stream = _Stream(torch.cuda.current_stream(device).cuda_stream)
        _core().launch(stream, _launch_config(blocks, threads, shared), kernel, *(t.data_ptr() for t in tensors), *flat)


def ptx(build: Callable, config: Config, threads: int, capability: tuple[int, int]) -> str:
    """Compile a kernel for a compute capability; needs no GPU, and plain Numba's own compiler will not do."""
    kernel, signature = _built(build, config)
    text, _ = cuda.compile(
        kernel, signature, device=False, abi="numba", cc=capability, output="ptx", launch_bounds=threads
    )
    return text


class _Stream:
    """A stream of torch's, in the words of cuda.core's protocol."""

    def __init__(self, handle: int):
        self.handle = handle

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.handle


@functools.cache
def _built(build: Callable, config: Config) -> tuple[Callable, Any]:
    return build(*config)


@functools.cache
def _core() -> Any:
    return importlib.import_module("cuda.core")


@functools.lru_cache(maxsize=1024)
def _launch_config(blocks: int, threads: int, shared: int) -> Any:
    return _core().LaunchConfig(grid=blocks, block=threads, shmem_size=shared)


@functools.cache
def _loaded(build: Callable, config: Config, threads: int, index: int) -> Any:
    """Compile and load a kernel for device ``index``, which is current, and let it use all shared memory there is."""
    core, driver = _core(), importlib.import_module("cuda.bindings.driver")
    core.Device(index).set_current()
    major, minor = torch.cuda.get_device_capability(index)
    text = ptx(build, config, threads, (major, minor))
    kernel = machine_code(text, (major, minor)).get_kernel(entry_name(text))
    attribute = driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    (error,) = driver.cuKernelSetAttribute(attribute, shared_limit(index), kernel.handle, driver.CUdevice(index))
    if error != driver.CUresult.CUDA_SUCCESS:
        raise RuntimeError(f"CUDA refused {shared_limit(index)} bytes of shared memory a block: {error}.")
    return kernel


def machine_code(text: str, capability: tuple[int, int]) -> Any:
    """Assemble PTX here rather than in the driver, whose PTX may be older than the compiler's; needs no GPU."""
    core = _core()
    options = core.LinkerOptions(arch="sm_{}{}".format(*capability))
    return core.Linker(core.ObjectCode.from_ptx(text.encode()), options=options).link("cubin")


def entry_name(text: str) -> str:
    """Return the name of the one kernel in a PTX text."""
    match = re.search(r"\.entry\s+(\w+)", text)
    if match is None:
        raise ValueError("the PTX text holds no kernel")
    return match.group(1)


@functools.cache
def shared_limit(index: int | None) -> int:
    """Return the bytes of shared memory a block may have on device ``index``; None is the simulator."""
    if index is None:
        return 48 * 1024
    properties = torch.cuda.get_device_properties(index)
    return getattr(properties, "shared_memory_per_block_optin", properties.shared_memory_per_block)


def _flat_numpy(tensor: Tensor) -> Any:
    """View the memory from a CPU tensor's first element to its last as a flat NumPy array."""
    extent = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    flat = tensor.detach().as_strided((extent,), (1,))
    return flat.view(torch.uint16 if tensor.dtype == torch.bfloat16 else tensor.dtype).numpy()
