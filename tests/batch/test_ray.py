"""Batches on a cluster of Ray, of several nodes on this machine: the same as on threads, and what faults do.

A worker ends by a harmless stand-in, which kills its own process (`tests.batch.refiners.Ending`).
"""

import os
import signal
import threading
import time

import numpy as np
import pytest
from PIL import Image

from spnrefine.batch.ledger import Ledger
from spnrefine.batch.lines import read_lines
from spnrefine.batch.outputs import Outputs
from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.pairs import Pair
from spnrefine.batch.place import beside
from spnrefine.batch.portion import Work
from spnrefine.batch.ray_cluster import Share
from spnrefine.batch.run import run as run_portions
from spnrefine.errors import BackendError, WeightsError
from spnrefine.job.types import Settings
from tests.batch.clusters import MARKS, own_variables, two_nodes, workers
from tests.batch.refiners import Ending, Shifting

pytestmark = [*MARKS, pytest.mark.faults]
RED, GREY = (254, 0, 0), (90, 90, 90)


@pytest.fixture(scope="module")
def cluster():
    """A head and two nodes with a whole CPU each, and another that may leave."""
    with own_variables():
        yield from two_nodes()


@pytest.fixture
def engine(cluster):
    """Return what opens an engine on the cluster."""
    from spnrefine.batch.ray_engine import RayEngine

    opened = []

    def open_engine(jobs=2, **how):
        for each in opened:
            each.close()
        opened.append(RayEngine(cluster.address, jobs, **how))
        return opened[-1]

    yield open_engine
    for each in opened:
        each.close()


@pytest.fixture
def pairs(tmp_path):
    """Twelve pairs; the photograph of the fourth is red."""
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 10:30] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    found = []
    for number in range(12):
        path = tmp_path / f"{number:02}.png"
        Image.new("RGB", (50, 40), RED if number == 3 else GREY).save(path)
        found.append(Pair(path, tmp_path / "mask.png", tmp_path / "out"))
    return found


def refine(pairs, refiner, engine, seen=lambda record: None, before=lambda: None, **how):
    """Work through the pairs as one run does, and return the records."""
    outputs = Outputs(Ledger(pairs[0].folder, "run"), **how)
    try:
        work = Work(refiner, Settings(), outputs)
        engine.equip(work.tools)
        before()
        found = []
        for record in run_portions((PairPortion(pair, work) for pair in pairs), engine=engine):
            found.append(record)
            seen(record)
        return found
    finally:
        outputs.close()


def statuses(records):
    return [record.status for record in records]


def ledger(pairs):
    return [line for _, line in read_lines(beside(pairs[0].folder))]


def check_nothing_twice(pairs, expected):
    """One refined mask and one line that says so for each pair that was refined, and no file besides."""
    assert sorted(line["output"] for line in ledger(pairs) if "record" in line) == expected
    assert sorted(path.name for path in pairs[0].folder.iterdir()) == expected
    wanted = np.roll(np.asarray(Image.open(pairs[0].mask)), 2, axis=1)
    for name in expected:
        np.testing.assert_array_equal(np.asarray(Image.open(pairs[0].folder / name)), wanted)


NAMES = [f"{number:02}.png" for number in range(12)]


def test_all_come_in_order(pairs, engine):
    records = refine(pairs, Shifting(), engine())
    assert [record.image for record in records] == [str(pair.photograph) for pair in pairs]
    assert statuses(records) == ["refined"] * 12
    check_nothing_twice(pairs, NAMES)


def test_a_worker_that_is_killed_loses_nothing(pairs, engine, tmp_path, capfd):
    (tmp_path / "ends").mkdir()
    assert statuses(refine(pairs, Ending(RED, tmp_path / "ends", times=1), engine())) == ["refined"] * 12
    assert capfd.readouterr().out == ""
    check_nothing_twice(pairs, NAMES)
    assert [line["tried"] for line in ledger(pairs) if "tried" in line] == ["again"]


def test_workers_that_are_killed_while_idle_count_no_try(pairs, engine):
    def kill():
        deadline = time.monotonic() + 100
        while len(found := workers()) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(3)  # until they have loaded, and have been idle for a while
        for number in found:
            os.kill(number, signal.SIGKILL)

    assert statuses(refine(pairs, Shifting(), engine(), before=kill)) == ["refined"] * 12
    check_nothing_twice(pairs, NAMES)
    assert [line for line in ledger(pairs) if "tried" in line] == []


@pytest.mark.parametrize("held", [0, 2**30])  # as a crash does, and the kernel where memory runs out: both say nothing
def test_a_picture_that_ends_each_worker_is_given_up_after_three(pairs, engine, tmp_path, held):
    (tmp_path / "ends").mkdir()
    records = refine(pairs, Ending(RED, tmp_path / "ends", held=held), engine())
    assert statuses(records) == ["refined"] * 3 + ["failed"] + ["refined"] * 8
    assert records[3].error == (
        "The process that worked on it ended 3 times (killed, or crashed): check the picture, or give each worker more "
        "memory by fewer of them (--jobs, --worker-cpus)."
    )
    assert len(list((tmp_path / "ends").iterdir())) == 3
    check_nothing_twice(pairs, [name for name in NAMES if name != "03.png"])
    again = refine(pairs, Shifting(), engine(), resume=True)
    assert statuses(again) == ["skipped"] * 3 + ["refined"] + ["skipped"] * 8


@pytest.mark.parametrize("how", ["memory", "limit"])
def test_a_worker_without_memory_fails_its_picture_alone(pairs, engine, tmp_path, how):
    (tmp_path / "ends").mkdir()
    records = refine(pairs, Ending(RED, tmp_path / "ends", how=how, held=2**29), engine())
    assert statuses(records) == ["refined"] * 3 + ["failed"] + ["refined"] * 8
    assert records[3].error == "Memory ran out: use a smaller photograph or fewer --jobs."
    assert len(list((tmp_path / "ends").iterdir())) == 1


def test_a_node_that_leaves_loses_nothing(pairs, engine, cluster, tmp_path):
    (tmp_path / "ends").mkdir()
    leaving = cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    cluster.wait_for_nodes()
    three = engine(3)
    left = threading.Event()

    def leave(record):
        if not left.is_set():
            left.set()
            cluster.remove_node(leaving, allow_graceful=False)

    records = refine(pairs, Ending(GREY, tmp_path / "ends", times=0, seconds=0.5), three, leave)
    assert left.is_set()
    assert statuses(records) == ["refined"] * 12
    check_nothing_twice(pairs, NAMES)


def test_where_there_is_no_room_it_is_refused(cluster):
    from spnrefine.batch.ray_engine import RayEngine

    with pytest.raises(BackendError, match=r"9 workers of 1 CPUs were asked for, .* have room for \d: give fewer"):
        RayEngine(cluster.address, 9)
    with pytest.raises(BackendError, match=r"1 workers of 1 CPUs and 1 GPUs were asked for, .* have room for 0"):
        RayEngine(cluster.address, None, Share(1, 1))


class Unloadable(Shifting):
    """A refiner that no worker can load."""

    def __reduce__(self):
        return _raise, ()


def _raise():
    raise WeightsError("The weights are not here: copy them to all nodes.")


def test_workers_that_cannot_be_made_end_the_run_in_a_sentence(pairs, engine):
    records = refine(pairs, Unloadable(), engine())
    assert statuses(records) == ["failed"] * 12
    assert records[0].error.startswith("No worker can be started (")
    assert "The weights are not here" in records[0].error
