"""How wide a vector is here, and a line of the cache: what callers of kernels need to know of them, without Numba."""

LANES = 16
CACHE_LINE = 64  # bytes
