"""spnrefine: refine a coarse segmentation mask so that its edge follows the photograph.

``refine(image, mask)`` takes and returns NumPy arrays; ``Refiner`` keeps a loaded network; ``spnrefine.ops`` is the
propagation operator for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from spnrefine.version import __version__

if TYPE_CHECKING:
    from spnrefine.errors import SpnRefineError
    from spnrefine.refiner import Backbone, Parser, Refiner, refine

__all__ = ["Backbone", "Parser", "Refiner", "SpnRefineError", "__version__", "refine"]

_HOMES = {
    "Backbone": "refiner",
    "Parser": "refiner",
    "Refiner": "refiner",
    "refine": "refiner",
    "SpnRefineError": "errors",
}


def __getattr__(name: str) -> Any:
    """Resolve the public names when they are first asked for, so that ``spnrefine --help`` never imports torch."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
