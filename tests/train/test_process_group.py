"""Signals that reach a run's reading process too: Ctrl-C in a terminal, the SIGTERM of a batch system."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from spnrefine.train.data.bystander import end_with_parent, starting_bystanders
from spnrefine.train.steps.checkpoint import checkpoint_path, read_checkpoint
from tests.train.sets import draw_pair, write_pair

TINY = (
    "--set",
    "looks=4",
    "--set",
    "look_sides=(64, 64, 64, 64)",
    "--set",
    "log_seconds=0.0",
    "--set",
    "held_aside=0.3",
)

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for number in range(6):
        image, mask = draw_pair(np.random.default_rng(number))
        write_pair(tmp_path / "set", str(number), image, mask)
    return tmp_path / "mine.safetensors"


@pytest.fixture
def start(out: Path) -> Iterator[Start]:
    """Start a long run in a session, and so a process group, of its own."""
    started = []

    def begin(*more: str) -> subprocess.Popen[str]:
        where = ("--images", out.parent / "set/images", "--masks", out.parent / "set/masks", "--out", out)
        how = ("--task", "object", "--steps", "100000", "--device", "cpu", "--threads", "1", *TINY, *more)
        command = [sys.executable, "-m", "spnrefine", "train", *map(str, where), *how]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True))
        return started[-1]

    yield begin
    for process in started:
        if is_alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_steps(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if "patches/s" in line:
            return
    raise AssertionError("".join(seen))


def wait_for_the_end_of_all(group: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(group) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_alive(group)


@pytest.mark.slow(reason="four processes import torch; test_command.py stops and resumes, and below is what each heeds")
def test_a_signal_to_all_processes_leaves_a_checkpoint_to_resume_from(start: Start, out: Path):
    """Ctrl-C ends the run, and SIGTERM the one that resumes it."""
    stopped = 0
    for number, resume in ((signal.SIGINT, ()), (signal.SIGTERM, ("--resume",))):
        process = start(*resume)
        wait_for_steps(process)
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 128 + number, errors
        assert "Traceback" not in errors
        assert "Error" not in errors
        wait_for_the_end_of_all(process.pid, 1)
        before, stopped = stopped, read_checkpoint(checkpoint_path(out))["counts"]["step"]
        assert stopped > before


@pytest.mark.slow(reason="DataLoader's workers look for their parent every five seconds")
def test_no_process_outlives_one_that_was_killed(start: Start):
    process = start()
    wait_for_steps(process)
    process.kill()
    process.wait(timeout=10)
    wait_for_the_end_of_all(process.pid, 20)


def stand_by(ready) -> None:
    end_with_parent()
    ready.set()
    time.sleep(60)


def test_a_spawned_process_ends_when_its_parent_says_so_alone():
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=stand_by, args=(ready,), daemon=True)
    with starting_bystanders("spawn"):
        process.start()
    assert ready.wait(60)
    for number in (signal.SIGINT, signal.SIGTERM):
        subprocess.run(["kill", f"-{int(number)}", str(process.pid)], check=True)
    process.join(0.5)
    assert process.is_alive()
    process.terminate()
    process.join(10)
    assert process.exitcode == 0
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {signal.SIGINT, signal.SIGTERM}
