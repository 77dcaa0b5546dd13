"""Temporary files: those of dead processes of this machine go, and no others."""

import os
import re
import subprocess
import sys
import time

import pytest

from spnrefine.files import temporary


@pytest.fixture(scope="module")
def dead():
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def of(number, name, *, machine=None, processes=None):
    """Name a temporary file of another process."""
    own = re.fullmatch(r"(\.spnrefine-)(\w+)-(\w+)-\d+-(\w+\.tmp)", name)
    return f"{own[1]}{machine or own[2]}-{processes or own[3]}-{number}-{own[4]}"


@pytest.fixture
def name(tmp_path):
    path = temporary.reserve(tmp_path)
    temporary.release(path)
    return path.name


def swept(folder, name, age=0.0):
    path = folder / name
    path.write_bytes(b"half a mask")
    os.utime(path, (time.time() - age,) * 2)
    found = temporary.sweep(folder)
    assert path.exists() == (not found)
    return found == [path]


def test_what_a_dead_process_left_goes(tmp_path, name, dead):
    assert swept(tmp_path, of(dead, name))
    assert swept(tmp_path, of(9999999999, name))  # no process has such a number


def test_folders_go_where_folders_are_asked_for(tmp_path, name, dead):
    ended, alive, file = of(dead, name), of(os.getpid(), name), of(9999999999, name)
    for folder in (ended, alive):
        (tmp_path / folder / "desks").mkdir(parents=True)
    (tmp_path / ended / "desks/photo.jpg").write_bytes(b"fetched")
    (tmp_path / file).touch()
    linked = of(dead, temporary.new_name())
    (tmp_path / linked).symlink_to(tmp_path / alive)
    assert temporary.sweep(tmp_path, folders=True) == [tmp_path / ended]
    assert {path.name for path in tmp_path.iterdir()} == {alive, file, linked}
    assert (tmp_path / alive / "desks").is_dir()


def test_what_may_be_written_yet_stays(tmp_path, name, dead):
    assert not swept(tmp_path, of(os.getpid(), name))
    assert not swept(tmp_path, of(1, name))  # which is always there, and mostly another's
    assert not swept(tmp_path, of(dead, name, machine="0" * 8), age=10**9)
    assert not swept(tmp_path, of(dead, name, processes="0" * 8))  # another container, where it may live


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="the system does not say when it was started")
def test_what_is_older_than_the_start_of_the_machine_goes(tmp_path, name):
    assert swept(tmp_path, of(1, name, processes="0" * 8), age=10**9)


@pytest.mark.parametrize(
    "change",
    [
        lambda name: name[1:],
        lambda name: f"{name}.png",
        lambda name: f"a{name}",
        lambda name: ".spnrefine-0123456789abcdef.tmp",  # version 0.1.0 did not say whose
        lambda name: name.replace("-", "_"),
        lambda name: ".spnrefine-lock.tmp",
    ],
)
def test_what_is_named_otherwise_stays(tmp_path, name, dead, change):
    assert not swept(tmp_path, change(of(dead, name)), age=10**9)


def test_folders_and_links_stay(tmp_path, name, dead):
    (tmp_path / of(dead, name)).mkdir()
    (tmp_path / of(dead, name).replace("-0", "-1")).symlink_to(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert temporary.sweep(tmp_path) == []
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_is_not_there_is_no_error(tmp_path):
    assert temporary.sweep(tmp_path / "absent") == []


def test_all_of_this_process_can_be_deleted_at_once(tmp_path):
    paths = [temporary.reserve(tmp_path) for _ in range(3)]
    for path in paths[:2]:
        path.write_bytes(b"a")
    temporary.release_all()
    assert list(tmp_path.iterdir()) == []
