"""Refiners that need no weights."""

import os
import resource
import signal
import time
from pathlib import Path

import numpy as np

STEP = 64 * 2**20  # bytes taken at once


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
    how : 'kill' as by SIGKILL; 'memory' raises what Python raises where memory runs out, 'limit' has the kernel refuse
        memory; 'wait' is for somebody else to end it.
    seconds : each refinement takes.
    held : bytes of memory that it takes before it ends.
    """

    def __init__(self, colour, folder, times=None, how="kill", seconds=0.0, held=0):
        super().__init__()
        self.colour, self.folder, self.times, self.how = colour, folder, times, how
        self.seconds, self.held = seconds, held

    def __call__(self, image, coarse):
        time.sleep(self.seconds)
        ends = len(list(self.folder.iterdir()))
        if tuple(image[0, 0]) == self.colour and (self.times is None or ends < self.times):
            (self.folder / f"{ends}-{os.getpid()}").touch()
            self._end()
        return super().__call__(image, coarse)

    def _end(self):
        if self.how == "memory":
            raise MemoryError
        before = resource.getrlimit(resource.RLIMIT_AS)
        if self.how == "limit":
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + self.held // 2, before[1]))
        try:
            taken = [np.ones(STEP, np.uint8) for _ in range(self.held // STEP)]
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
        if self.how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(10)
        raise AssertionError(f"nobody ended it, with {len(taken) * STEP} bytes taken")
