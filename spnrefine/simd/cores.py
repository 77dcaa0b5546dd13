"""How many cores this process has, and how many threads computations here run on."""

import os
from collections.abc import Iterator
from pathlib import Path

from spnrefine.errors import SpnRefineError

VARIABLES = "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"
"""What limits the threads from outside; the first that is set counts."""
OF_LIBRARIES = "OPENBLAS_NUM_THREADS"
"""What NumPy's and OpenCV's linear algebra, of which next to nothing is used here, asks when it is loaded."""

_PROCESS, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def available() -> int:
    """How many cores this process may use: those it may run on, or fewer where a container has a share of them.

    A share of two and a half cores is two: a third thread would have all of them stopped every now and then.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *map(int, quotas())]))


def threads() -> int:
    """How many threads a computation runs on: one a core, fewer where ``VARIABLES`` say so.

    Raises
    ------
    SpnRefineError
        One of these is no number.
    """
    for name in VARIABLES:
        value = os.environ.get(name, "").strip()
        if value:
            first = value.split(",")[0]  # OpenMP's may be a list: for threads, and for threads of those
            if not (first.isascii() and first.isdigit() and int(first[:9]) > 0):
                raise SpnRefineError(f"{name} was {value!r}: expected a whole number from 1 on.")
            return min(int(first[:9]), available())
    return available()


def limit_libraries(threads: int) -> None:
    """Hold those libraries to ``threads`` that start theirs when they are loaded, if nobody else has said how many."""
    os.environ.setdefault(OF_LIBRARIES, str(threads))


def quotas() -> Iterator[float]:
    """Yield the shares of cores that the control groups of this process allow it, its own and those above."""
    for group, version in groups("cpu"):
        files = ("cpu.max",) if version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        try:
            quota, period = " ".join((group / file).read_text() for file in files).split()
            if float(quota) > 0 and float(period) > 0:
                yield float(quota) / float(period)
        except (OSError, ValueError):  # no such file, or no limit: max, or -1
            continue


def groups(controller: str) -> Iterator[tuple[Path, int]]:
    """Yield the folders of this process's control groups, its own and those above, and their version: 1 or 2."""
    try:
        lines = _PROCESS.read_text().splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        names = controllers.split(",")
        if not controllers:  # version 2: one tree, in a place of its own where version 1 is there too
            for root in (_GROUPS, _GROUPS / "unified"):
                yield from ((group, 2) for group in _along(root, path))
        elif controller in names:
            for name in {controllers, *names}:
                yield from ((group, 1) for group in _along(_GROUPS / name, path))


def _along(root: Path, path: str) -> Iterator[Path]:
    """Yield a group and all groups above; a container sees its own group as the root."""
    group = root / path.lstrip("/")
    while True:
        yield group
        if group == root or root not in group.parents:
            return
        group = group.parent
