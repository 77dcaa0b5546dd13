"""Batches on a cluster of Ray, of several nodes on this machine: the same as on threads, and what faults do.

A worker ends by a harmless stand-in, which kills its own process (`tests.batch.refiners.Ending`).
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

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
from tests.batch.clusters import two_nodes
from tests.batch.refiners import Ending, Shifting
from tests.documents import ROOT

pytestmark = [
    pytest.mark.slow(
        "starts clusters of Ray, each of several processes; tests/batch/test_tasks.py sends tasks without"
    ),
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.filterwarnings("default"),  # Ray's own
]
TOKEN = secrets.token_hex(32)  # of all clusters of a process, as Ray reads it once
RED, GREY = (254, 0, 0), (90, 90, 90)


@pytest.fixture(scope="module")
def cluster():
    """A head and two nodes with a whole CPU each, and another that may leave."""
    own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
    own |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    before = {name: os.environ.get(name) for name in own}
    os.environ |= own
    yield from two_nodes()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


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


def refine(pairs, refiner, engine, seen=lambda record: None, **how):
    """Work through the pairs as one run does, and return the records."""
    outputs = Outputs(Ledger(pairs[0].folder, "run"), **how)
    try:
        work = Work(refiner, Settings(), outputs)
        engine.equip(work.tools)
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


def test_a_picture_that_ends_each_worker_is_given_up_after_three(pairs, engine, tmp_path):
    (tmp_path / "ends").mkdir()
    records = refine(pairs, Ending(RED, tmp_path / "ends"), engine())
    assert statuses(records) == ["refined"] * 3 + ["failed"] + ["refined"] * 8
    assert records[3].error == (
        "The process that worked on it ended 3 times (killed, or crashed): check the picture, or give each worker more "
        "memory."
    )
    assert len(list((tmp_path / "ends").iterdir())) == 3
    check_nothing_twice(pairs, [name for name in NAMES if name != "03.png"])
    again = refine(pairs, Shifting(), engine(), resume=True)
    assert statuses(again) == ["skipped"] * 3 + ["refined"] + ["skipped"] * 8


def test_a_worker_without_memory_fails_its_picture_alone(pairs, engine, tmp_path):
    (tmp_path / "ends").mkdir()
    records = refine(pairs, Ending(RED, tmp_path / "ends", how="memory"), engine())
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


@pytest.fixture
def photographs(tmp_path):
    """Eight photographs with their masks, one of which is none."""
    from tests.model.make_check import draw

    for number in range(8):
        image, coarse = draw(80, 100, seed=number)
        for folder, pixels in (("photos", image), ("masks", np.uint8(255) * (coarse > 127))):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{number}.png")
    (tmp_path / "masks/5.png").write_bytes(b"no mask")
    return tmp_path


def command(folder, output, *more):
    where = "photos", "--mask-dir", "masks", "-o", output, "--records", f"{output}.jsonl", "--device", "cpu"
    own = {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "spnrefine", "batch", *where, *more]
    return subprocess.Popen(line, cwd=folder, env=os.environ | own, stderr=subprocess.PIPE, text=True)


def told(folder, output):
    lines = [json.loads(line) for line in (folder / f"{output}.jsonl").read_text().splitlines()]
    own = {"seconds": None, "time": None, "run": None}
    return [line | own | {"output": (line["output"] or "").replace(output, "")} for line in lines]


def masks(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_batch_is_the_same_on_both_engines(photographs, cluster):
    said = {}
    for output, engine in (("threads", ()), ("ray", ("--engine", f"ray:{cluster.address}", "--jobs", "2"))):
        with command(photographs, output, *engine) as process:
            said[output] = process.communicate(timeout=300)[1].replace(output, ""), process.returncode
    assert said["ray"] == said["threads"]
    assert said["ray"][1] == 1
    assert told(photographs, "ray") == told(photographs, "threads")
    assert masks(photographs / "ray") == masks(photographs / "threads")
    assert len(masks(photographs / "ray")) == 7


def test_a_cluster_of_its_own_is_on_the_loopback_alone_and_leaves_nothing(photographs):
    home = photographs / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment |= {"HOME": str(home), "PYTHONPATH": str(ROOT)}
    line = f"{sys.executable} -m spnrefine batch photos --mask-dir masks -o out --engine ray --jobs 1 --device cpu"
    process = subprocess.Popen(line.split(), cwd=photographs, env=environment, stderr=subprocess.PIPE)
    heard = set()
    while process.poll() is None:
        heard |= listening(descendants(process.pid))
        time.sleep(0.2)
    assert process.wait() == 1, process.stderr.read()
    process.stderr.close()
    assert heard
    assert {address for address in heard if not address.startswith("127.")} == set()
    assert not (home / ".ray").exists()


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


def listening(processes):
    """Return the addresses on which processes take connections from others, of IPv4 and IPv6."""
    sockets = set()
    for number in processes:
        with suppress(OSError):
            sockets |= {str(entry.readlink()) for entry in Path(f"/proc/{number}/fd").iterdir()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state, inode = (line.split()[at] for at in (1, 3, 9))
            if state == "0A" and f"socket:[{inode}]" in sockets:
                address = local.partition(":")[0]
                found.add(".".join(str(part) for part in reversed(bytes.fromhex(address[-8:]))))
    return found


def test_a_driver_that_is_killed_is_taken_up(photographs, cluster):
    with command(photographs, "threads") as process:
        process.communicate(timeout=300)
    engine = "--engine", f"ray:{cluster.address}", "--jobs", "1"
    with command(photographs, "ray", *engine) as process:
        deadline = time.monotonic() + 200
        while not (photographs / "ray/1.png").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    done = masks(photographs / "ray")
    assert 1 < len(done) < 7
    with command(photographs, "ray", "--resume", *engine) as process:
        said = process.communicate(timeout=300)[1]
    assert f"{len(done)} skipped" in said or f"{len(done) - 1} skipped" in said
    assert masks(photographs / "ray") == masks(photographs / "threads")
    finished = [line["output"] for _, line in read_lines(beside(photographs / "ray")) if "record" in line]
    assert sorted(finished) == sorted(masks(photographs / "ray"))


def test_a_signal_lets_what_has_begun_be_finished(photographs, cluster):
    with command(photographs, "ray", "--engine", f"ray:{cluster.address}", "--jobs", "1") as process:
        deadline = time.monotonic() + 200
        while not (photographs / "ray/0.png").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=300)[1]
    assert process.returncode == 143, said
    written = [line["output"] for line in told(photographs, "ray") if line["status"] == "refined"]
    assert 0 < len(written) < 7
    assert {f"/{name}" for name in masks(photographs / "ray")} == set(written)
