"""Calls made by several threads, with results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

AHEAD = 4  # calls handed out for each thread, so that none waits while a slow one holds up the order


def in_order(calls: Iterable[Callable[[], Result]], threads: int) -> Generator[Result]:
    """Make ``calls``, ``threads`` at a time, and yield their results in order.

    Closing the generator lets those that have begun finish, so that files are whole or not there.
    """
    with ThreadPoolExecutor(threads) as workers:
        begun: deque[Future[Result]] = deque()
        try:
            for call in calls:
                begun.append(workers.submit(call))
                while len(begun) > AHEAD * threads:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            workers.shutdown(cancel_futures=True)
