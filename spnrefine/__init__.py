"""spnrefine: refine a coarse segmentation mask so that its edge follows the photograph."""

__version__ = "0.1.0"
