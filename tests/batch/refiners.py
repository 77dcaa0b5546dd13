"""Refiners that need no weights."""

import numpy as np


class Shifting:
    """A refiner that moves every mask two pixels to the right, and counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, image, coarse):
        self.calls += 1
        return np.roll(coarse, 2, axis=1)
