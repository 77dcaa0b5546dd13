"""The propagation on a CUDA device, in kernels of Numba; ``tensors`` is the way in."""
