"""Arrays in, arrays out: one mask, or all ids of a label map, refined along a photograph, and how far they may go."""

from spnrefine.refiner.arrays import Refiner, refine, to_probability

__all__ = ["Refiner", "refine", "to_probability"]
