"""The one loop: order, limits, stopping."""

import threading
import time

import pytest

from spnrefine.batch.portion import Portion
from spnrefine.batch.run import run
from spnrefine.job.record import Record


class Fake(Portion):
    """A portion of several masks, of which ``done`` were done before; each takes a moment."""

    begun: list[str] = []  # noqa: RUF012 -- emptied by the fixture

    def __init__(self, name, masks=1, done=0, seconds=0.0, fails=False, alone=True):
        self.name, self.done, self.fresh = name, done, masks - done
        self.seconds, self.fails, self.alone = seconds, fails, alone

    def limit(self, most):
        if self.alone and self.fresh and not most:
            return None
        self.fresh = min(self.fresh, most)
        return self.fresh

    def run(self):
        Fake.begun.append(self.name)
        time.sleep(self.seconds)
        statuses = ["skipped"] * self.done + ["failed" if self.fails else "refined"] * self.fresh
        return [Record(self.name, f"{self.name}{number}", status=status) for number, status in enumerate(statuses)]


@pytest.fixture(autouse=True)
def begun():
    Fake.begun = []


def told(portions, **how):
    return [(record.mask, record.status) for record in run(portions, **how)]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_records_come_in_the_order_of_the_portions(jobs):
    portions = [Fake(f"{number}-", 2, seconds=0.02 * (number % 3 == 0)) for number in range(12)]
    assert [mask for mask, _ in told(portions, jobs=jobs)] == [
        f"{number}-{k}" for number in range(12) for k in range(2)
    ]


def test_portions_run_at_the_same_time():
    barrier = threading.Barrier(3, timeout=20)

    class Meeting(Fake):
        def run(self):
            barrier.wait()
            return super().run()

    assert len(told([Meeting("a"), Meeting("b"), Meeting("c")], jobs=3)) == 3


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (None, ["a0 skipped", "b0 refined", "c0 skipped", "d0 refined", "e0 skipped"]),
        (5, ["a0 skipped", "b0 refined", "c0 skipped", "d0 refined", "e0 skipped"]),
        (1, ["a0 skipped", "b0 refined", "c0 skipped"]),
    ],
)
def test_a_limit_counts_what_was_not_done_and_ends_the_run(jobs, most, expected):
    portions = [Fake(name, done=int(name in "ace")) for name in "abcde"]
    assert [f"{mask} {status}" for mask, status in told(portions, jobs=jobs, most=most)] == expected


def test_a_limit_goes_on_where_the_rest_is_needed():
    portions = [Fake("a", 3, done=1, alone=False), Fake("b", 2, alone=False), Fake("c", 2, done=2, alone=False)]
    expected = [("a0", "skipped"), ("a1", "refined"), ("a2", "refined"), ("c0", "skipped"), ("c1", "skipped")]
    assert told(portions, most=2) == expected


def test_a_failure_stops_nothing():
    portions = [Fake("a"), Fake("b", fails=True), Fake("c")]
    assert [status for _, status in told(portions)] == ["refined", "failed", "refined"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_fail_fast_ends_with_the_first_failure_and_leaves_the_rest_alone(jobs):
    portions = [Fake("a"), Fake("b", 2, fails=True), *(Fake(f"c{number}", seconds=0.05) for number in range(40))]
    assert told(portions, jobs=jobs, fail_fast=True) == [("a0", "refined"), ("b0", "failed")]
    assert len(Fake.begun) < 20


def test_closing_lets_what_has_begun_finish():
    finished = []

    class Slow(Fake):
        def run(self):
            records = super().run()
            finished.append(self.name)
            return records

    records = run([Slow("a"), *(Slow(f"b{number}", seconds=0.1) for number in range(20))], jobs=2)
    next(records)
    records.close()
    assert sorted(finished) == sorted(Fake.begun)
    assert len(finished) < 20
