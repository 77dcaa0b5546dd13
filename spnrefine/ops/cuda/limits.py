"""How many threads a block of each kernel may have: what its registers allow without spilling."""

_SINGLE = {"FORWARD_THREADS": 1024, "BACKWARD_THREADS": 512, "WIDE_THREADS": 1024, "LONG_THREADS": 512}
_DOUBLE = {"FORWARD_THREADS": 512, "BACKWARD_THREADS": 256, "WIDE_THREADS": 512, "LONG_THREADS": 256}

MERGE_THREADS = 256
"""Of a block of the kernels that merge."""
SHARED = 48 * 1024
"""Bytes of shared memory that any block may have."""


def threads_of(wide: bool) -> dict[str, int]:
    """Return the kernels' limits by the names they know them under; ``wide`` for those that calculate in float64."""
    return {**(_DOUBLE if wide else _SINGLE), "MERGE_THREADS": MERGE_THREADS}
