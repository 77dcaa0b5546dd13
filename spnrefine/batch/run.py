"""Work through many tasks on several threads."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing

from spnrefine.batch.task import Task
from spnrefine.batch.threads import in_order
from spnrefine.job.record import Record


def run(tasks: Iterable[Task], *, jobs: int = 1, most: int | None = None, fail_fast: bool = False) -> Generator[Record]:
    """Run every task and yield the records of its masks, in the order of ``tasks``.

    Closing the generator lets the tasks that have begun finish.

    Parameters
    ----------
    tasks : in which nothing is shared but their `Work`.
    jobs : threads, each of which runs one task after another.
    most : refine at most so many masks, besides those that earlier runs have done; None for all.
    fail_fast : begin no further task after a record that says failed, which is the last.
    """
    with closing(in_order(_calls(tasks, most), jobs)) as done:
        for records in done:
            for record in records:
                yield record
                if fail_fast and record.status == "failed":
                    return


def _calls(tasks: Iterable[Task], most: int | None) -> Iterator[Callable[[], list[Record]]]:
    left = most
    for task in tasks:
        if left is not None:  # here and not in a thread, so that it does not depend on chance which masks are refined
            begun = task.limit(left)
            if begun is None:
                return
            left -= begun
        yield task.run
