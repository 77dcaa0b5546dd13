"""A photograph that takes more memory than its node has to give: Ray ends each worker that works on it.

It does so where a node's memory is taken up to a share, which is set here a little above what is taken already: so this
machine's memory is never filled, and no more than two gigabytes of it are taken, for a moment. Others who take as much
meanwhile disturb the test.
"""

import time
from pathlib import Path

import pytest

from tests.batch.clusters import MARKS, one_node, own_variables
from tests.batch.refiners import Ending, Shifting
from tests.batch.test_ray import NAMES, RED, check_nothing_twice, ledger, pairs, refine, statuses

__all__ = ["pairs"]
pytestmark = [*MARKS, pytest.mark.faults]
ROOM, HELD, SPARE = 1400 * 2**20, 2200 * 2**20, 5000 * 2**20
"""Bytes up to the share, that a worker takes unless it is ended, and without which the test does not begin."""


def memory():
    """Return how many bytes of memory this machine has, and how many more can be taken."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    found = {name: 1024 * int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return found["MemTotal"], found["MemAvailable"]


@pytest.fixture
def free():
    """Return how many bytes of memory are free before Ray has a share of it."""
    found = memory()[1]
    if found < SPARE:
        pytest.skip("less memory is free than the test asks for, so as not to disturb others")
    return found


@pytest.fixture
def engine(free):
    """Return what opens an engine of two workers on a node that has memory for little more than them."""
    from spnrefine.batch.ray_engine import RayEngine

    share = 1 - (free - ROOM) / memory()[0]
    told = {"RAY_memory_usage_threshold": f"{share:.4f}", "RAY_memory_monitor_refresh_ms": "50"}
    opened = []
    with own_variables(**told):
        for cluster in one_node():

            def open_engine(address=cluster.address):
                for each in opened:
                    each.close()
                opened.append(RayEngine(address, 2, patience=60))
                return opened[-1]

            yield open_engine
            opened[-1].close()


def test_a_picture_for_which_ray_ends_each_worker_is_given_up(pairs, engine, tmp_path):
    (tmp_path / "ends").mkdir()
    two = engine()
    free = memory()[1]  # beside the cluster's own processes
    records = refine(pairs, Ending(RED, tmp_path / "ends", how="wait", held=HELD), two)
    deadline = time.monotonic() + 15  # until the last that ended has given back what it held
    while (changed := abs(memory()[1] - free)) > ROOM // 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    if changed > ROOM // 2:
        pytest.skip("others have taken or freed so much memory meanwhile that Ray ends any worker, or none")
    assert statuses(records) == ["refined"] * 3 + ["failed"] + ["refined"] * 8
    assert records[3].error == (
        "The process that worked on it ended 3 times (its machine's memory ran out): check the picture, or give each "
        "worker more memory by fewer of them (--jobs, --worker-cpus)."
    )
    assert 1 <= len(list((tmp_path / "ends").iterdir())) <= 3  # one may be ended before it begins
    check_nothing_twice(pairs, [name for name in NAMES if name != "03.png"])
    tries = [line["tried"] for line in ledger(pairs) if "tried" in line and line["tried"] == "given up"]
    assert tries == ["given up"]
    again = refine(pairs, Shifting(), engine(), resume=True)
    assert statuses(again) == ["skipped"] * 3 + ["refined"] + ["skipped"] * 8
