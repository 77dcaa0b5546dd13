"""The kernels of the network's last part as routines, which run without Numba once they are compiled."""

from functools import cache

from spnrefine.simd import ahead
from spnrefine.simd.ahead import Routine

TAKES = {
    "shallow": "L" + "iiiiii" + "ii" + "f" + "BFFFFFFFFF",
    "join": "L" + "iiiiiiiiii" + "iiiii" + "FFFFFFF",
    "gates": "L" + "iiiii" + "FFFIF",
    "propagate": "L" + "ii" + "iiii" + "LLFIFF",
    "decode": "L" + "iiiiii" + "ii" + "FFFFFFFFF",
    "wait": "L" + "i",
}
"""The arguments of each, as functions of :mod:`spnrefine.model.routines_compiled` name them."""


def routine(name: str) -> Routine:
    """Return one of them, loaded, or compiled where no earlier process did."""
    return _all()[name]


@cache
def _all() -> dict[str, Routine]:
    return ahead.routines("spnrefine.model.routines_compiled", TAKES)
