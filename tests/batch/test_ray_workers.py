"""Workers that end, or do not start, and others in their place; without Ray, by as much of it as they use."""

from types import SimpleNamespace

import pytest

from spnrefine.batch import ray_workers
from spnrefine.batch.ray_cluster import Share
from spnrefine.batch.ray_workers import MOST_STARTS, Workers
from spnrefine.batch.stop import Stop
from spnrefine.errors import BackendError

MEMORY = "1 worker(s) were killed due to the node running low on memory."
RAISED = "The actor died because of an error raised in its creation task\nWeightsError: Not here."


class EndError(Exception):
    """What Ray raises of an actor that ended."""


class Actor:
    """An actor that ended for each reason that is left in a list, at each call one."""

    def __init__(self, reasons):
        self.here = SimpleNamespace(remote=lambda: reasons.pop(0) if reasons else None)


class Ray:
    """Starts actors, the first of which end for these reasons, one each."""

    exceptions = SimpleNamespace(RayError=EndError)

    def __init__(self, *reasons):
        self.left, self.started, self.killed = list(reasons), 0, []

    def remote(self, **_):
        return lambda kind: SimpleNamespace(remote=self._start)

    def _start(self, *_):
        self.started += 1
        return Actor(self.left)

    def put(self, thing):
        return thing

    def wait(self, calls, timeout):
        return calls, []

    def get(self, call):
        if call is not None:
            raise EndError(call)

    def kill(self, actor):
        self.killed.append(actor)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(ray_workers, "PAUSE", 0.001)
    monkeypatch.setattr(ray_workers, "_LOOK", 0.01)


@pytest.fixture
def workers():
    """Return what starts workers on as much of Ray."""
    begun = []

    def begin(ray, **how):
        begun.append(Workers(ray, None, 1, Share(), **how))
        return begun[-1]

    yield begin
    for each in begun:
        each.close()


def test_a_node_without_memory_is_waited_for(workers):
    """However often: one that is ended as it starts is no fault of the program, as one that raises an error is."""
    ray = Ray(*[MEMORY] * (3 * MOST_STARTS))
    assert workers(ray).take(Stop()) is not None
    assert ray.started == 3 * MOST_STARTS + 1


def test_a_worker_that_cannot_be_made_is_not_tried_for_ever(workers):
    ray = Ray(*[RAISED] * (3 * MOST_STARTS))
    with pytest.raises(BackendError, match=r"^No worker can be started \(WeightsError: Not here\): check the nodes\.$"):
        workers(ray).take(Stop())
    assert ray.started == MOST_STARTS


def test_where_none_comes_for_too_long_it_is_said_why(workers):
    with pytest.raises(
        BackendError, match=r"^There has been no worker for 0 seconds \(its machine's memory ran out\): "
    ):
        workers(Ray(*[MEMORY] * 10_000), patience=0.2).take(Stop())


def test_one_that_ended_while_idle_is_replaced_before_it_is_given_work(workers, monkeypatch):
    monkeypatch.setattr(ray_workers, "_IDLE", 0.0)
    ray = Ray()
    several = workers(ray)
    first = several.take(Stop())
    several.release(first)
    ray.left.append("the node has died")
    assert several.take(Stop()) is not first
    assert ray.killed == [first]


def test_nobody_waits_where_the_run_is_to_end(workers):
    stop = Stop()
    stop.ask()
    assert workers(Ray(MEMORY)).take(stop) is None
