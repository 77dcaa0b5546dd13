"""A real cluster of Ray on this machine, and who belongs to it."""

import gc
import os
import secrets
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.documents import ROOT

TOKEN = secrets.token_hex(32)  # of all clusters of a process, as Ray reads it once
MARKS = [
    pytest.mark.slow(
        "starts clusters of Ray, each of several processes; tests/batch/test_tasks.py sends tasks without"
    ),
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.filterwarnings("default"),  # Ray's own
]


@contextmanager
def own_variables(**more):
    """Have nodes that are started here find what they are to be told in the environment."""
    own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
    own |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", **more}
    before = {name: os.environ.get(name) for name in own}
    os.environ |= own
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def two_nodes():
    """Yield a cluster of two nodes with a CPU each, beside a head without one, and stop it afterwards."""
    yield from _nodes(1, 1)


def one_node():
    """Yield a cluster of one node with two CPUs, beside a head without one, and stop it afterwards."""
    yield from _nodes(2)


def _nodes(*cpus):
    from ray.cluster_utils import Cluster

    little = {"object_store_memory": 100 * 2**20}
    made = Cluster(initialize_head=True, head_node_args={**little, "num_cpus": 0, "include_dashboard": False})
    for each in cpus:
        made.add_node(num_cpus=each, **little)
    made.wait_for_nodes()
    yield made
    made.shutdown()
    del made
    gc.collect()  # Ray's processes that it did not wait for are warned of here, where warnings of its own are allowed


def descendants(root):
    """Return a process and all that it started, by their numbers."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {root}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def workers():
    """List the processes started from here that refine, by their numbers."""
    found = []
    for number in descendants(os.getpid()):
        with suppress(OSError):
            if b"_Worker" in Path(f"/proc/{number}/cmdline").read_bytes():
                found.append(number)
    return found
