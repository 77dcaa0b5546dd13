"""Refiners that need no weights."""

import os
import signal
import time

import numpy as np


class Shifting:
    """A refiner that moves every mask two pixels to the right, and counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, image, coarse):
        self.calls += 1
        return np.roll(coarse, 2, axis=1)


class Ending(Shifting):
    """A refiner that ends its own process at photographs of one colour, as often as is said.

    Parameters
    ----------
    colour : (R, G, B) of the first pixel.
    folder : where each end leaves a file, by which all processes count them.
    times : ends in all; None for always.
    how : 'kill' as by SIGKILL; 'memory' raises what Python raises where memory runs out.
    seconds : each refinement takes.
    """

    def __init__(self, colour, folder, times=None, how="kill", seconds=0.0):
        super().__init__()
        self.colour, self.folder, self.times, self.how, self.seconds = colour, folder, times, how, seconds

    def __call__(self, image, coarse):
        time.sleep(self.seconds)
        ends = len(list(self.folder.iterdir()))
        if tuple(image[0, 0]) == self.colour and (self.times is None or ends < self.times):
            (self.folder / f"{ends}-{os.getpid()}").touch()
            if self.how == "memory":
                raise MemoryError
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(image, coarse)
