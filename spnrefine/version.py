"""The versions of the package and of what it computes: here alone, so that every room may know them."""

__version__ = "0.1.0"

ALGORITHM = 5
"""Raised when other masks come out of the same weights and inputs, for ``--resume`` to make them again; 0.1.0 had 1."""
