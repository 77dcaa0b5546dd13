"""How the CUDA kernels store and convert numbers: one row a torch type, in words Numba and its simulator both know."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numba import cuda, types
from numba.core import config

SIMULATED = bool(getattr(config, "ENABLE_CUDASIM", False))
"""True where kernels run in Numba's CUDA simulator, on NumPy views of CPU tensors (NUMBA_ENABLE_CUDASIM=1)."""

if not SIMULATED:
    from numba.cuda import libdevice
else:

    class libdevice:  # type: ignore[no-redef]  # noqa: N801 - stands in for a module the simulator lacks
        """Bits as numbers and back."""

        @staticmethod
        def int_as_float(bits):
            return np.int32(bits).view(np.float32)

        @staticmethod
        def float_as_int(value):
            return np.float32(value).view(np.int32)


int32, index = (int, int) if SIMULATED else (np.int32, np.uint64)
"""What kernels count in, since 64 bits take two registers, and what they index shared memory by: of a signed number
Numba would ask each time whether it counts from the end."""


def device_function(function: Callable) -> Callable:
    """Make ``function`` callable from kernels; inlined, since compiling a callee apart needs a GPU to be present."""
    return function if SIMULATED else cuda.jit(device=True, inline="always")(function)


@dataclass(frozen=True, eq=False)  # the same only if it is the same object: keys of kept kernels hash fast
class Storage:
    """A type of numbers in device memory, with the conversions to and from the type that kernels calculate in."""

    name: str
    numba: types.Type
    """The type of the memory's elements; bfloat16, which NumPy lacks, is 16 bits to Numba."""
    load: Callable
    store: Callable


@device_function
def _float_of_bits(bits):
    return libdevice.int_as_float(np.int32(bits))


@device_function
def _bits_of_float(value):
    return np.int64(libdevice.float_as_int(value)) & np.int64(0xFFFFFFFF)


@device_function
def _same(value):
    return value


@device_function
def _load_float16(value):
    return np.float32(value)


@device_function
def _store_float16(value):
    return np.float16(value)


@device_function
def _load_bfloat16(value):
    return _float_of_bits(np.uint32(value) << np.uint32(16))


@device_function
def _store_bfloat16(value):
    bits = _bits_of_float(value)
    if value != value:
        return np.uint16(0x7FC0)  # rounding could carry a NaN's bits over to infinity
    return np.uint16((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)  # to nearest, ties to even


STORAGE = {
    torch.float64: Storage("float64", types.float64, _same, _same),
    torch.float32: Storage("float32", types.float32, _same, _same),
    torch.float16: Storage("float16", types.float16, _load_float16, _store_float16),
    torch.bfloat16: Storage("bfloat16", types.uint16, _load_bfloat16, _store_bfloat16),
}
