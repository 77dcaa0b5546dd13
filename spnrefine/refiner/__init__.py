"""Arrays in, arrays out: one mask, or all ids of a label map, refined along a photograph, and how far they may go."""

from spnrefine.refiner.backbone import Backbone
from spnrefine.refiner.function import refine
from spnrefine.refiner.inputs import to_probability
from spnrefine.refiner.parser import Parsed, Parser
from spnrefine.refiner.refiner import Refiner

__all__ = ["Backbone", "Parsed", "Parser", "Refiner", "refine", "to_probability"]
