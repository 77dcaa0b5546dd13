"""The second launches of a round: what the directions' planes come to, pixel by pixel."""

import numpy as np
from numba import cuda, types

from spnrefine.ops.cuda.storage import Storage, device_function


@device_function
def pixel_of_thread(size):
    """Return (image, pixel) where each image of ``size`` pixels takes a whole number of blocks."""
    blocks = (size + cuda.blockDim.x - 1) // cuda.blockDim.x
    return cuda.blockIdx.x // blocks, cuda.blockIdx.x % blocks * cuda.blockDim.x + cuda.threadIdx.x


def merge_kernel(h_type: Storage, out_type: Storage, remember: bool, wide: bool):
    """Return (kernel, its signature): out = maximum over the directions; ``remember`` which of them it was.

    ``h`` is (N, D, M), ``out`` and ``choice`` are (N, M).
    """
    load, store = h_type.load, out_type.store

    def merge(h, out, choice, size, directions):
        image, pixel = pixel_of_thread(size)
        if pixel < size:
            at = image * directions * size + pixel
            e = image * size + pixel
            best, chosen = load(h[at]), 0
            for i in range(1, directions):
                value = load(h[at + i * size])
                if value > best:  # where directions tie, the first keeps the maximum and takes the gradient
                    best, chosen = value, i
            out[e] = store(best)
            if remember:
                choice[e] = chosen

    pointers = (types.CPointer(h_type.numba), types.CPointer(out_type.numba), types.CPointer(types.uint8))
    return merge, types.void(*pointers, types.int64, types.int64)


def sum_kernel(out_type: Storage, wide: bool):
    """Return (kernel, its signature): out = sum over the directions, in their order; ``parts`` is (N, D, M)."""
    real = types.float64 if wide else types.float32
    zero = (np.float64 if wide else np.float32)(0)
    store = out_type.store

    def add(parts, out, size, directions):
        image, pixel = pixel_of_thread(size)
        if pixel < size:
            at = image * directions * size + pixel
            value = zero
            for i in range(directions):
                value += parts[at + i * size]
            out[image * size + pixel] = store(value)

    pointers = (types.CPointer(real), types.CPointer(out_type.numba))
    return add, types.void(*pointers, types.int64, types.int64)
