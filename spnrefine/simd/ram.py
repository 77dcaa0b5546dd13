"""How much memory this process may still take: what the machine has free, or less where a container is limited."""

from collections.abc import Iterator
from pathlib import Path

from spnrefine.simd import cores

_FILES = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes"), 2: ("memory.max", "memory.current")}
_MACHINE = Path("/proc/meminfo")


def free() -> int | None:
    """How many bytes can still be taken before this machine or container has none; None where that is not known."""
    found = [*_of_the_machine(), *_of_containers()]
    return max(0, min(found)) if found else None


def _of_the_machine() -> Iterator[int]:
    try:
        lines = _MACHINE.read_text().splitlines()
        yield from (1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError):  # another system
        return


def _of_containers() -> Iterator[int]:
    """Yield what the control groups leave; what they hold of files that were read can be given up at once."""
    for group, version in cores.groups("memory"):
        most, now = (
            ("memory.max", "memory.current") if version == 2 else ("memory.limit_in_bytes", "memory.usage_in_bytes")
        )
        try:
            facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            cached = int(facts.get("inactive_file" if version == 2 else "total_inactive_file", 0))
            yield int((group / most).read_text()) - int((group / now).read_text()) + cached
        except (OSError, ValueError):  # no such file, or no limit: max
            continue
