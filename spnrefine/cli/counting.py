"""How far the refinement of one map is, which may hold thousands of ids."""

from collections.abc import Iterator
from contextlib import contextmanager

from spnrefine.cli.streams import Progress


@contextmanager
def ids_counted() -> Iterator[None]:
    """Say within the block on standard error how many ids of a map are done, as :class:`Progress` does."""
    from spnrefine.refiner.noting import counting

    said: list[Progress] = []

    def tell(done: int, total: int) -> None:
        if done == 1:  # of the first map, or of another page's
            close()
            said.append(Progress(total, unit="id"))
        said[-1].step()

    def close() -> None:
        if said:
            said.pop().close()

    try:
        with counting(tell):
            yield
    finally:
        close()
