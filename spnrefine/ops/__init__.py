"""The three-way linear propagation of spatial propagation networks, as an operator for torch.

``scan`` runs one direction, ``propagate`` all four and keeps the elementwise maximum::

    h[k,t] = (1 - a - b - c) x[k,t] + a h[k-1,t-1] + b h[k,t-1] + c h[k+1,t-1]
"""

import importlib
from typing import TYPE_CHECKING

from spnrefine.errors import NO_TORCH, MissingExtraError
from spnrefine.ops.directions import Direction

if TYPE_CHECKING:
    from spnrefine.ops.autograd import available_backends, propagate, scan

__all__ = ["Direction", "available_backends", "propagate", "scan"]


def __getattr__(name: str):
    """Import torch only when a function of it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module("spnrefine.ops.autograd"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError(NO_TORCH) from error
