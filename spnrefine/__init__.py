"""spnrefine: refine a coarse segmentation mask so that its edge follows the photograph.

``refine(image, mask)`` takes and returns NumPy arrays; ``Refiner`` keeps a loaded network; ``Backbone`` and ``Parser``
make masks and label maps where there are none; ``spnrefine.ops`` is the propagation operator for torch. Whatever goes
wrong on purpose is a ``SpnRefineError``.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from spnrefine.errors import (
    BackendError,
    FileError,
    MissingExtraError,
    ShapeError,
    SpnRefineError,
    WeightsError,
)
from spnrefine.version import __version__

if TYPE_CHECKING:
    from spnrefine.refiner import Backbone, Parser, Refiner, refine

__all__ = [
    "Backbone",
    "BackendError",
    "FileError",
    "MissingExtraError",
    "Parser",
    "Refiner",
    "ShapeError",
    "SpnRefineError",
    "WeightsError",
    "__version__",
    "refine",
]

# ONNX Runtime, from 1.29 on, tells its makers of each run. It looks for this when it is loaded, and never again.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_LATER = {"Backbone", "Parser", "Refiner", "refine"}
"""Resolved when they are first asked for, so that ``spnrefine --help`` never waits for NumPy and what stands on it."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.refiner"), name)
    except AttributeError as error:  # Python would say that there is no such name, and not why
        raise ImportError(
            f"spnrefine.{name} cannot be imported ({error}): install the packages it needs again."
        ) from error


def __dir__() -> list[str]:
    """List the public names alone, those not yet resolved included."""
    return __all__
