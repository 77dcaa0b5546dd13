"""Planes of their own, refined in the views of what lies in them, are refined as in the whole picture."""

import numpy as np
import pytest

from spnrefine.files import masks
from spnrefine.files.stacks import Stack
from spnrefine.job.record import Record
from spnrefine.job.single import refine_single
from spnrefine.job.stack import refine_stack
from spnrefine.job.types import Loaded, Settings

SIZE = (260, 300)


class Shifting:
    """Moves a mask two pixels to the right, and counts the pixels that it was shown."""

    pixels = 0

    def __call__(self, image, coarse):
        self.pixels += coarse.size
        assert image.shape[:2] == coarse.shape
        return np.roll(coarse, 2, axis=1)


def planes():
    found = np.zeros((3, *SIZE), np.float32)
    found[0, 10:20, 12:30] = 0.9
    found[1, 60:90, 100:130] = 1
    found[1, 200, 200] = 0.05  # too little to be an object
    return found


@pytest.mark.parametrize("soft", [False, True])
def test_planes_come_out_as_alone_in_the_whole_picture(soft):
    image, coarse, settings = np.zeros((*SIZE, 3), np.uint8), planes(), Settings(soft=soft)
    refiner, record = Shifting(), Record("i", "m")
    done = refine_stack(image, Stack(coarse, is_distribution=False), refiner, settings, record)
    alone = [
        refine_single(Loaded(image, masks.of_array(plane)), Shifting(), settings, Record("i", "m")) for plane in coarse
    ]
    for number, one in enumerate(alone):
        inside = coarse[number] > 0.1
        where = np.roll(inside, 2, axis=1) | inside
        np.testing.assert_array_equal(done.planes[number][where], (one.probability if soft else one.after)[where])
        np.testing.assert_array_equal(done.after == number + 1, one.after)
        np.testing.assert_array_equal(done.before == number + 1, one.before)
    assert record.status == "refined"
    assert refiner.pixels < image.size / 6  # of the two planes that hold anything
