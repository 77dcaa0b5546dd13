"""Work through many portions."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from spnrefine.batch.engine import Engine, Threads
from spnrefine.batch.portion import Portion
from spnrefine.batch.stop import Stop
from spnrefine.job.record import Record


def run(
    portions: Iterable[Portion],
    *,
    jobs: int = 1,
    most: int | None = None,
    fail_fast: bool = False,
    free: int | None = None,
    stop: Stop | None = None,
    engine: Engine | None = None,
) -> Generator[Record]:
    """Run every portion and yield the records of its masks, in the order of ``portions``.

    Closing the generator lets the portions that have begun finish; asking ``stop`` does too, and yields their records.

    Parameters
    ----------
    portions : in which nothing is shared but their `Work`.
    jobs : threads, each of which runs one portion after another.
    most : refine at most so many masks, besides those that earlier runs have done; None for all.
    free : bytes of memory that all portions at work on the threads share; None for any number of them.
    fail_fast : begin no further portion after a record that says failed, which is the last.
    stop : what the portions' `Work` has.
    engine : works on them instead of the threads.
    """
    with closing((engine or Threads(jobs, free)).records(_limited(portions, most), stop)) as done:
        for records in done:
            for record in records:
                yield record
                if fail_fast and record.status == "failed":
                    return


def _limited(portions: Iterable[Portion], most: int | None) -> Iterator[Portion]:
    left = most
    for portion in portions:
        if left is not None:  # here and not in a thread, so that it does not depend on chance which masks are refined
            begun = portion.limit(left)
            if begun is None:
                return
            left -= begun
        yield portion
