"""How one mask is refined."""

from typing import NamedTuple

from spnrefine.refiner.choice import Choice
from spnrefine.refiner.kinds import BRUSH


class Way(NamedTuple):
    """How one mask is refined: the choice of its kind, by which weights, how finely, and how many pixels off it may be.

    ``model`` None is the one that was asked for, ``finer`` the side in pixels at which frames are seen that are sharp
    there, ``off`` None where nothing is said. What ``may_be_right`` already is refined as far as the judge agrees. Of a
    mask whose ``form``, its kind, is believed, averages are kept (:mod:`~spnrefine.refiner.averages`), or corners
    (:mod:`~spnrefine.refiner.corners`), or its object is taken to be larger than its paint
    (:mod:`~spnrefine.refiner.brush`); None where it is said how far off it may be.
    """

    choice: Choice
    model: str | None
    finer: int | None
    off: float | None
    leaves_alone: bool
    may_be_right: bool
    form: str | None

    def together(self) -> "Way":
        """Return the way of one that is seen with others: what its paint says of it holds for none of these."""
        return self._replace(off=None, form=None) if self.form == BRUSH else self
