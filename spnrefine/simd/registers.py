"""How many vectors the registers of the processor at hand can hold: what is best computed at once."""

from numba.core import codegen, config


def _features() -> str:
    """Return the features of the processor that Numba compiles for."""
    chosen: str | None = getattr(config, "CPU_FEATURES", None)  # "" for a generic processor
    return codegen.get_host_cpu_features() if chosen is None else chosen


MANY = "+avx512f" in _features().split(",")
"""Whether there are 32 registers of a vector each, rather than 16, or 32, of half or a quarter of one."""
