"""The networks of a refiner by the names of their weights, each loaded when it is first asked for."""

from collections.abc import Callable
from threading import Lock

from spnrefine.model import weights
from spnrefine.refiner.sight import Sight

GENERAL, BROAD = "general", "broad"


class Sights(dict[str | None, Sight]):
    """What sees by each name; the first, ``None``, is of the weights that were asked for. Threads may ask at once."""

    def __init__(self, first: Sight, load: Callable[[str], Sight]):
        super().__init__({None: first})
        self._load, self._lock = load, Lock()

    def __missing__(self, name: str | None) -> Sight:
        assert name is not None
        with self._lock:
            if name not in self:
                self[name] = self._load(name)
        return self[name]


def for_small(model: str) -> str | None:
    """Name the weights that see many small objects at once where ``model`` refines all else; None: the same.

    `broad` learnt from such pictures, and does better on them at every size that is seen so, on pairs held aside.
    """
    info = weights.describe(model)
    return BROAD if info.identity == weights.describe(GENERAL).identity else None
