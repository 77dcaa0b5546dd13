"""Vectors, memory and threads for the kernels that run on a CPU; knows nothing of masks or propagation."""
