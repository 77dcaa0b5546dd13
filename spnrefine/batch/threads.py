"""Calls made by several threads, with results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from spnrefine.batch.stop import Stop

Result = TypeVar("Result")

AHEAD = 4  # calls handed out for each thread, so that none waits while a slow one holds up the order


def in_order(calls: Iterable[Callable[[], Result]], threads: int, stop: Stop | None = None) -> Generator[Result]:
    """Make ``calls``, ``threads`` at a time, and yield their results in order.

    Once ``stop`` is asked for no further call is begun, and the results of those that have begun are the last. Closing
    the generator lets these finish too, so that files are whole or not there.
    """
    stop = stop or Stop()

    def make(call: Callable[[], Result]) -> list[Result]:
        return [] if stop.asked else [call()]

    with ThreadPoolExecutor(threads) as workers:
        begun: deque[Future[list[Result]]] = deque()
        try:
            for call in calls:
                if stop.asked:
                    break
                begun.append(workers.submit(make, call))
                while len(begun) > AHEAD * threads:
                    yield from begun.popleft().result()
            while begun:
                yield from begun.popleft().result()
        finally:
            workers.shutdown(cancel_futures=True)
