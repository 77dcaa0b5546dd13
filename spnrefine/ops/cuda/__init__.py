"""The propagation on a CUDA device, in kernels of CUDA C++; ``tensors`` is the way in."""
