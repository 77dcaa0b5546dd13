"""How many threads computations here run on."""

import os


def available() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """``NUMBA_NUM_THREADS`` where it is set, or else one for each core."""
    return int(os.environ.get("NUMBA_NUM_THREADS", 0)) or available()
