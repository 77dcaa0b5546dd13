"""Arrays in, arrays out: one mask, or all ids of a label map, refined along a photograph, and how far they may go."""

from spnrefine.refiner.arrays import Refiner, refine, to_probability
from spnrefine.refiner.parse import Parsed, Parser
from spnrefine.refiner.segment import Backbone

__all__ = ["Backbone", "Parsed", "Parser", "Refiner", "refine", "to_probability"]
