"""One run at a time in a folder, until it ends, however it ends."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from spnrefine.batch.outputs import open_outputs
from spnrefine.batch.place import lock_path
from spnrefine.errors import FileError
from spnrefine.files.inputs import Inputs
from spnrefine.files.lock import Lock
from spnrefine.job.record import Record

KEEP = "import sys, pathlib; from spnrefine.files.lock import Lock; p = pathlib.Path(sys.argv[1])\n\
lock = Lock(p.parent, p); print(flush=True); sys.stdin.read()"


@pytest.fixture
def path(tmp_path):
    return lock_path(tmp_path / "new" / "out", is_folder=True)


def test_a_second_run_is_refused_in_a_sentence_until_the_first_ends(path):
    first = Lock(path.parent, path)
    with pytest.raises(
        FileError, match=rf"out is being written by another run \(process {os.getpid()} on [\w.-]+\): wait"
    ):
        Lock(path.parent, path)
    first.release()
    Lock(path.parent, path).release()


def test_what_was_made_for_the_lock_alone_goes_with_it(path, tmp_path):
    lock = Lock(path.parent, path)
    assert path.is_file()
    lock.release()
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_stays(path):
    lock = Lock(path.parent, path)
    (path.parent / "a.png").write_bytes(b"a")
    lock.release()
    assert [found.name for found in path.parent.iterdir()] == ["a.png"]


def test_the_system_lets_go_what_a_dead_process_held(path):
    with subprocess.Popen([sys.executable, "-c", KEEP, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"\n"
        with pytest.raises(FileError, match=f"process {other.pid} on"):
            Lock(path.parent, path)
        other.kill()
        other.wait()
        assert path.exists()
        Lock(path.parent, path).release()
    assert not path.exists()


def test_a_lock_that_its_holder_deleted_meanwhile_is_none(path, monkeypatch):
    first, flock, calls = Lock(path.parent, path), fcntl.flock, []

    def later(file, how):
        """The first run ends, and a third begins, between opening and locking."""
        if not calls:
            calls.append(first.release())
            path.parent.mkdir(parents=True)
            path.write_text("another's file")
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", later)
    lock = Lock(path.parent, path)
    with pytest.raises(FileError, match="another run"):
        Lock(path.parent, path)
    lock.release()


@pytest.mark.parametrize("number", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_where_no_locks_are_known_runs_go_on(path, monkeypatch, number):
    def refuse(*_):
        raise OSError(getattr(errno, number), "no")

    monkeypatch.setattr(fcntl, "flock", refuse)
    locks = [Lock(path.parent, path) for _ in range(2)]
    for lock in locks:
        lock.release()


@pytest.mark.parametrize(
    "make", [lambda path: os.mkfifo(path), lambda path: path.mkdir(), lambda path: path.symlink_to("a")]
)
def test_what_else_has_the_name_is_left_alone(path, make):
    path.parent.mkdir(parents=True)
    (path.parent / "a").write_bytes(b"somebody's")
    make(path)
    Lock(path.parent, path).release()
    assert os.path.lexists(path)
    assert (path.parent / "a").read_bytes() == b"somebody's"


def test_the_owner_is_told_as_a_number_and_a_name_or_not_at_all(path):
    lock = Lock(path.parent, path)
    path.write_text("1 \x1b[31mred\n")
    with pytest.raises(FileError, match="by another run: wait"):
        Lock(path.parent, path)
    lock.release()


@pytest.mark.parametrize("is_folder", [True, False])
def test_two_runs_with_one_output_and_runs_with_others(tmp_path, is_folder):
    first = open_outputs(tmp_path / "out", "run", Inputs(), is_folder=is_folder)
    (tmp_path / "link").symlink_to(tmp_path)
    for output in (tmp_path / "out", tmp_path / "link" / "out"):
        with pytest.raises(FileError, match="another run"):
            open_outputs(output, "run", Inputs(), is_folder=is_folder, overwrite=True, resume=True)
    open_outputs(tmp_path / "other", "run", Inputs(), is_folder=is_folder).close()
    first.ledger.finish(tmp_path / "out" / "a.png", "key", "digest", Record("a.jpg", None))
    first.close()
    assert [found.name for found in tmp_path.iterdir() if found.name != "link"] == [".out.spnrefine.jsonl"]


def test_a_refused_run_leaves_the_ledger_alone(tmp_path):
    first = open_outputs(tmp_path / "out", "run", Inputs(), is_folder=True)
    with pytest.raises(FileError, match="another run"):
        open_outputs(tmp_path / "out", "run", Inputs(), is_folder=True)
    assert first.ledger.path.exists()
    first.close()
