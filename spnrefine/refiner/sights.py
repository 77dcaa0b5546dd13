"""The networks of a refiner by the names of their weights, each loaded when it is first asked for."""

from collections.abc import Callable
from threading import Lock

from spnrefine.model import weights
from spnrefine.refiner.kinds import MAP
from spnrefine.refiner.sight import Sight

GENERAL, BROAD, POLYGON = "general", "broad", "polygon"


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


def by_kind(model: str) -> dict[str, str]:
    """Name the weights that refine masks of some kinds (:data:`~spnrefine.refiner.kinds.KINDS`) in place of ``model``.

    What `general` learnt last made it better on all masks but polygons, on pairs held aside: `polygon` learnt half as
    much of it. Maps of networks are better seen by `broad`, which learnt more of it. The tensors count, so that choices
    of ``spnrefine adapt`` made from `general` are of `polygon` as well.
    """
    return {POLYGON: POLYGON, MAP: BROAD} if _is_any(model, GENERAL) else {}


def knows_paint(model: str) -> bool:
    """Tell whether what is said of painted masks was measured with ``model``: by :mod:`~spnrefine.refiner.brush`."""
    return _is_any(model, GENERAL, BROAD)


def is_judged(model: str) -> bool:
    """Tell whether the judge knows what ``model`` makes of masks: those that it learnt from, and `broad`, do alike."""
    return _is_any(model, GENERAL, POLYGON, BROAD)


def beside(model: str) -> list[str]:
    """Name all weights that may see masks beside those of ``model``."""
    return [*dict.fromkeys([*filter(None, [for_small(model)]), *by_kind(model).values()])]


def _is_any(model: str, *names: str) -> bool:
    """Tell whether a file has the tensors of one of these weights, whatever else it says."""
    return weights.describe(model).sha256 in {weights.describe(name).sha256 for name in names}
