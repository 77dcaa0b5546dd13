"""What of a refinement is let through, and which status and notes it gets."""

import numpy as np
import pytest

from spnrefine.files import masks
from spnrefine.job import job
from spnrefine.job.record import Record
from spnrefine.job.types import Loaded, Made, Settings
from spnrefine.refiner.restraint import Restraint

IMAGE = np.zeros((40, 50, 3), np.uint8)


def square(left=10):
    mask = np.zeros((40, 50), bool)
    mask[10:30, left : left + 20] = True
    return mask


def shifted(image, coarse):
    return np.roll(coarse, 4, axis=1)


def refine(mask, refiner=shifted, **restraint):
    record = Record("photo.jpg", "mask.png")
    settings = Settings(restraint=Restraint(**restraint))
    return job.refine(Loaded(IMAGE, mask), refiner, settings, record), record


def test_what_changes_is_refined():
    refined, record = refine(masks.of_array(square()))
    assert (record.status, record.changed, record.notes) == ("refined", 0.4, [])
    np.testing.assert_array_equal(refined.before, square())
    np.testing.assert_array_equal(refined.after, square(14))
    np.testing.assert_array_equal(refined.probability, square(14))


def test_what_does_not_is_unchanged():
    refined, record = refine(masks.of_array(square()), lambda image, coarse: coarse * np.float32(0.8))
    assert (record.status, record.changed) == ("unchanged", 0)
    assert refined.probability.max() == np.float32(0.8)


@pytest.mark.parametrize(("value", "status"), [(0, "empty"), (1, "full")])
def test_a_mask_without_contour_is_returned_as_it_came_without_a_refiner(value, status):
    coarse = np.full((40, 50), value, np.float32)
    refined, record = refine(masks.of_array(coarse), None)
    assert (record.status, record.changed) == (status, 0.0)
    assert refined.after is refined.before
    np.testing.assert_array_equal(refined.probability, coarse)


def test_too_much_change_gives_back_the_coarse_mask_and_its_probability():
    refined, record = refine(masks.of_array(square()), max_change=0.3)
    assert (record.status, record.changed) == ("kept", 0)
    assert "returned as it came" in record.notes[0]
    assert refined.after is refined.before
    np.testing.assert_array_equal(refined.probability, square())


def test_what_is_taken_back_of_a_part_has_its_coarse_probability_again():
    coarse = square() | (np.indices((40, 50)) == np.array([2, 45])[:, None, None]).all(0)

    def refiner(image, mask):  # the square moves by a twentieth, the pixel is gone
        return np.float32(0.9) * shifted_by_one(square())

    refined, record = refine(masks.of_array(coarse), refiner, max_change=0.5)
    assert (record.status, record.notes) == (
        "refined",
        ["1 of 2 parts would have changed too much: they stay as they came"],
    )
    assert refined.probability[2, 45] == 1
    np.testing.assert_array_equal(refined.probability > 0.5, refined.after)
    assert refined.probability[20, 20] == np.float32(0.9)


def shifted_by_one(mask):
    return np.roll(mask, 1, 1).astype(np.float32)


def test_outside_the_band_the_probability_is_the_coarse_one_too():
    refined, record = refine(masks.of_array(square()), band=2)
    assert (record.status, record.changed) == ("refined", (2 * 2 * 20 + 2 * 4) / 400)  # both sides, and four corners
    np.testing.assert_array_equal(np.flatnonzero(refined.after[20]), range(12, 32))
    np.testing.assert_array_equal(refined.probability > 0.5, refined.after)
    assert record.notes == ["kept 2 pixels from the coarse contour"]


def test_a_mask_that_was_refined_where_it_was_made_needs_no_refiner():
    after, record = square(14), Record("photo.jpg", None)
    made = Made(masks.of_array(square()), after.astype(np.float32), after)
    refined = job.refine(Loaded(IMAGE, made.mask, made), None, Settings(), record)
    assert (record.status, record.changed) == ("made", 0.4)
    np.testing.assert_array_equal(refined.after, after)


def test_a_mask_that_a_backbone_made_full_is_refined_all_the_same():
    coarse = masks.of_array(np.ones((40, 50), np.float32))
    record = Record("photo.jpg", None)
    job.refine(Loaded(IMAGE, coarse, Made(coarse)), shifted, Settings(), record)
    assert record.status == "unchanged"
