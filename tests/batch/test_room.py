"""The memory of a batch: portions that do not fit wait, and none waits for ever."""

import threading
from contextlib import nullcontext

import pytest

from spnrefine.batch.pair_portion import PairPortion
from spnrefine.batch.room import BYTES_A_PIXEL, SHARE, Room
from spnrefine.batch.run import run
from spnrefine.simd import cores, ram
from tests.batch.test_run import Fake

pytestmark = pytest.mark.faults

MB = 10**6


class Heavy(Fake):
    """A portion that takes memory, and notes how much is taken at the same time."""

    taken, most = 0, 0
    lock = threading.Lock()

    def __init__(self, name, memory):
        super().__init__(name, seconds=0.01)
        self._memory = memory

    def memory(self):
        return self._memory

    def run(self):
        with self.lock:
            Heavy.taken += self._memory
            Heavy.most = max(Heavy.most, Heavy.taken)
        records = super().run()
        with self.lock:
            Heavy.taken -= self._memory
        return records


@pytest.fixture(autouse=True)
def _nothing_taken():
    Heavy.taken = Heavy.most = 0


def test_portions_that_do_not_fit_together_wait():
    portions = [Heavy(f"{number}", MB * (1 + number % 5)) for number in range(30)]
    assert len(list(run(portions, jobs=8, free=int(6 * MB / SHARE)))) == 30
    assert 4 * MB < Heavy.most <= 6 * MB


def test_what_is_larger_than_all_memory_goes_on_alone():
    portions = [Heavy("a", MB), Heavy("large", 100 * MB), Heavy("b", MB), Heavy("c", MB)]
    assert [record.image for record in run(portions, jobs=4, free=3 * MB)] == ["a", "large", "b", "c"]
    assert Heavy.most == 100 * MB


def test_memory_comes_back_after_a_fault():
    room = Room(int(10 / SHARE))
    for _ in range(3):
        with pytest.raises(MemoryError), room.take(10):
            raise MemoryError
    with room.take(10):
        pass


def test_nothing_waits_where_nobody_knows():
    room = Room(None)
    with room.take(10**15), room.take(10**15):
        pass


def test_a_batch_is_held_back_by_the_headers_of_its_photographs(run, pair, tmp_path, monkeypatch):
    """Each of 100 x 80 pixels, where there is memory for one and a half."""
    (tmp_path / "photos").mkdir()
    for number in range(4):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(pair[0].read_bytes())
        (tmp_path / "photos" / f"{number}_mask.png").write_bytes(pair[1].read_bytes())
    needed, at_work, most = [], [], []
    take = Room.take
    monkeypatch.setattr(Room, "take", lambda room, bytes: (needed.append(bytes), take(room, bytes))[1])
    monkeypatch.setattr(ram, "free", lambda: int(1.5 * BYTES_A_PIXEL * 8000 / SHARE))
    monkeypatch.setattr(cores, "available", lambda: 4)
    monkeypatch.setattr(cores, "threads", lambda: 4)

    def refine(portion):
        at_work.append(portion)
        threading.Event().wait(0.05)
        most.append(len(at_work))
        at_work.remove(portion)
        return portion._record

    monkeypatch.setattr(PairPortion, "_refine", refine)
    assert run("batch", tmp_path / "photos", "-o", tmp_path / "out", "--jobs", 4).exit_code == 0
    assert needed == [BYTES_A_PIXEL * 8000] * 4
    assert most == [1] * 4


def test_there_are_no_more_jobs_than_cores(run, pair, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(cores, "threads", lambda: 2)
    monkeypatch.setattr("spnrefine.batch.engine.in_order", lambda calls, jobs, stop: seen.append(jobs) or iter(()))
    monkeypatch.setattr("spnrefine.batch.run.closing", nullcontext)
    for name, source in (("photos/a.jpg", pair[0]), ("masks/a.png", pair[1])):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(source.read_bytes())
    run("batch", tmp_path / "photos", "--mask-dir", tmp_path / "masks", "-o", tmp_path / "out", "--jobs", 50)
    assert seen == [2]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 8 GB free."""
    (tmp_path / "meminfo").write_text("MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n")
    monkeypatch.setattr(ram, "_MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(cores, "_PROCESS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "groups")
    return tmp_path


def limit(folder, most, now, cached, version):
    folder.mkdir(parents=True)
    for name, value in zip(ram._FILES[version], (most, now), strict=True):
        (folder / name).write_text(f"{value}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{'total_' * (version == 1)}inactive_file {cached}\n")


def test_free_memory_of_the_machine(machine):
    assert ram.free() == 8_192_000_000
    (machine / "meminfo").write_text("nothing that is known\n")
    assert ram.free() is None


@pytest.mark.parametrize(("version", "line", "folder"), [(2, "0::/a/b", "a/b"), (1, "5:memory:/a/b", "memory/a/b")])
def test_free_memory_of_a_container(machine, version, line, folder):
    (machine / "cgroup").write_text(f"3:cpu:/\n{line}\n")
    limit(machine / "groups" / folder, 500 * MB, 300 * MB, 50 * MB, version)
    assert ram.free() == 250 * MB
    (machine / "groups" / folder / ram._FILES[version][0]).write_text("max\n")
    assert ram.free() == 8_192_000_000


def test_a_group_above_counts_too(machine):
    (machine / "cgroup").write_text("0::/a/b\n")
    limit(machine / "groups" / "a" / "b", "max", 1, 0, 2)
    limit(machine / "groups" / "c", 10 * MB, 1, 0, 2)
    for name in ("memory.max", "memory.current", "memory.stat"):
        (machine / "groups" / "c" / name).rename(machine / "groups" / "a" / name)
    assert ram.free() == 10 * MB - 1
