"""How many cores a process has: what it may run on, less where a container has a share, and what variables say."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from spnrefine import Refiner
from spnrefine.errors import SpnRefineError
from spnrefine.simd import cores
from spnrefine.simd.team import Team
from tests.model.make_check import draw


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Sixty-four cores, no variables, and control groups that a test lays out."""
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    monkeypatch.setattr(cores, "_PROCESS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "groups")
    for name in cores.VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def lay_out(process, **files):
        (tmp_path / "cgroup").write_text(process)
        for name, text in files.items():
            path = tmp_path / "groups" / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return lay_out


V1 = "4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n"


@pytest.mark.parametrize(
    ("process", "files", "cores_there"),
    [
        ("", {}, 64),
        ("0::/\n", {}, 64),
        ("0::/\n", {"cpu_dot_max": "max 100000\n"}, 64),
        ("0::/\n", {"cpu_dot_max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu_dot_max": "250000 100000\n"}, 2),
        ("0::/\n", {"cpu_dot_max": "9900000 100000\n"}, 64),
        ("0::/\n", {"cpu_dot_max": "what is this\n"}, 64),
        ("0::/\n", {"cpu_dot_max": "100000 0\n"}, 64),
        ("0::/a/b\n", {"a__b__cpu_dot_max": "max 100000", "a__cpu_dot_max": "300000 100000"}, 3),
        ("0::/host/path/unseen\n", {"cpu_dot_max": "400000 100000"}, 4),
        ("0::/../../x\n", {"cpu_dot_max": "400000 100000"}, 4),
        (V1, {"cpu__cpu_dot_cfs_quota_us": "150000", "cpu__cpu_dot_cfs_period_us": "50000"}, 3),
        (V1, {"cpu,cpuacct__cpu_dot_cfs_quota_us": "-1", "cpu,cpuacct__cpu_dot_cfs_period_us": "100000"}, 64),
        ("no colons\n\n::\n", {}, 64),
    ],
)
def test_a_share_of_cores_is_read(groups, process, files, cores_there):
    groups(process, **files)
    assert cores.available() == cores.threads() == cores_there


def test_without_control_groups_there_are_the_cores_it_may_run_on(groups):
    assert cores.available() == 64


@pytest.mark.parametrize(
    ("numba", "openmp", "threads"),
    [("3", "5", 3), (None, "5", 5), (" 7 ", None, 7), ("", "", 64), (None, "4,2", 4), ("500", None, 64)],
)
def test_variables_say_how_many_threads_but_never_more_than_cores(groups, monkeypatch, numba, openmp, threads):
    groups("")
    for name, value in zip(cores.VARIABLES, (numba, openmp), strict=True):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert cores.threads() == threads
    assert Team().size == threads


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "²", "1e3"])
@pytest.mark.parametrize("name", cores.VARIABLES)
def test_other_values_are_one_sentence(monkeypatch, run, pair, name, value):
    for each in cores.VARIABLES:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(SpnRefineError, match=name):
        cores.threads()
    result = run(pair[0], "--mask", pair[1])
    assert result.exit_code == 1
    assert result.stderr == f"Error: {name} was {value!r}: expected a whole number from 1 on.\n"


WATCHED = """
import json, os, sys, threading
from spnrefine.cli import main
most = []
def watch(event, arguments):
    if event == "open":
        most.append(len(os.listdir("/proc/self/task")))
sys.addaudithook(watch)
try:
    main(sys.argv[1:], prog_name="spnrefine")
except SystemExit as end:
    import cv2
    print(json.dumps([end.code, max(most), cv2.getNumThreads()]), file=sys.stderr)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")  # noqa: PTH112
def test_one_thread_is_one_thread_for_all_that_starts_some(pair):
    """Besides it, kernels are loaded in the background while the first network is prepared."""
    command = [sys.executable, "-c", WATCHED, str(pair[0]), "--mask", str(pair[1]), "--threads", "1"]
    own = {name: value for name, value in os.environ.items() if name != cores.OF_LIBRARIES}  # what earlier tests left
    done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=120, check=False)
    code, most, opencv = json.loads(done.stderr.splitlines()[-1])
    assert (code, opencv) == (0, 1)
    assert most <= 2


@pytest.mark.parametrize(("jobs", "threads", "share"), [(1, 8, 8), (2, 8, 4), (8, 8, 1), (16, 8, 1), (3, 8, 2)])
def test_jobs_share_the_threads(monkeypatch, jobs, threads, share):
    import cv2

    from spnrefine.cli.threads import share_threads

    monkeypatch.setattr(cores, "available", lambda: 8)
    before = cv2.getNumThreads()
    try:
        assert share_threads(threads, jobs) == share
        assert cv2.getNumThreads() == share
        assert share_threads(100, 1) == 8
    finally:
        cv2.setNumThreads(before)


def test_threads_that_wait_take_no_time():
    """ONNX Runtime's, and those that share the kernels' work, once a mask is refined."""
    refiner = Refiner("general", "cpu", 2)
    image, coarse = draw(80, 100, seed=7)
    refiner(image, (coarse / 255).astype(np.float32))
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.03
