"""How many vectors the registers of the processor at hand can hold: what is best computed at once."""

from llvmlite import binding  # type: ignore[import-untyped]  # ships no types
from numba.core import config


def _features() -> str:
    """Return the features of the processor that Numba compiles for."""
    return getattr(config, "CPU_FEATURES", None) or binding.get_host_cpu_features().flatten()


MANY = "+avx512f" in _features().split(",")
"""Whether there are 32 registers of a vector each, rather than 16, or 32, of half or a quarter of one."""
