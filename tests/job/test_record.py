import numpy as np
import pytest

from spnrefine.job.record import SCHEMA, Record, measure, parts_and_holes


def ring(size=(40, 50)):
    mask = np.zeros(size, bool)
    mask[10:30, 10:30] = True
    mask[15:20, 15:20] = False
    return mask


def test_numbers_of_a_known_change():
    before = np.zeros((40, 50), bool)
    before[10:30, 10:30] = True
    after = np.roll(before, 2, 1) & ~ring_hole()
    record = Record("photo.jpg", "mask.png")
    measure(record, before, after, np.where(before, 1, 0).astype(np.float32), None)
    assert record.changed == pytest.approx((40 + 40 + 25) / 400)
    assert (record.components_before, record.components_after) == (1, 1)
    assert (record.holes_before, record.holes_after) == (0, 1)
    assert (record.uncertainty, record.doubt) == (0, 0.28)  # 105 of 375 pixels are not as the probabilities have them
    assert 0.5 < record.contour_shift < 3


def ring_hole():
    mask = np.zeros((40, 50), bool)
    mask[15:20, 15:20] = True
    return mask


def test_nothing_changed():
    record = Record("photo.jpg", "mask.png")
    measure(record, ring(), ring(), np.full((40, 50), 0.5, np.float32), None)
    assert (record.changed, record.contour_shift, record.uncertainty) == (0, 0, 1)
    assert (record.components_before, record.holes_before) == (1, 1)
    assert record.as_dict()["schema"] == SCHEMA


def test_parts_and_holes_of_ids_are_counted_together():
    ids = np.where(ring(), 3, 0)
    ids[16:18, 16:18] = 5  # in the hole of the other
    ids[35:37, 5], ids[37, 6] = 5, 5  # touches by a corner: one part
    assert parts_and_holes(ids) == (3, 1)
    assert parts_and_holes(np.zeros((3, 3), int)) == (0, 0)
    assert parts_and_holes(np.ones((3, 3), bool)) == (1, 0)


def test_void_is_no_object():
    before, after = np.where(ring(), 3, 0).astype(np.uint8), np.where(np.roll(ring(), 2, 1), 3, 0).astype(np.uint8)
    probability, void = np.where(after == 3, 0.9, 0.2).astype(np.float32), np.zeros((40, 50), bool)
    void[:, 45:] = void[:3, :30] = True
    clear, marked = Record("photo.jpg", "mask.png"), Record("photo.jpg", "mask.png")
    measure(clear, before, after, probability, None)
    for ids in (before, after):
        ids[void] = 255
    measure(marked, before, after, np.where(void, np.float32(0.5), probability), void)
    assert marked == clear


def test_doubt_is_what_the_probabilities_expect_to_be_wrong():
    mask = np.zeros((20, 20), bool)
    mask[5:15, 5:15] = True
    probability = np.where(mask, np.float32(0.9), np.float32(0))
    probability[0, :10] = 0.25  # far from the contour
    void = np.zeros_like(mask)
    void[0, :5] = True
    for ignored, expected in ((None, 0.125), (void, 0.1125)):  # (100 * 0.1 + 10 * 0.25) / 100, and without five pixels
        record = Record("p", "m")
        measure(record, mask, mask, probability, ignored)
        assert record.doubt == expected
    record = Record("p", "m")
    measure(record, mask.astype(np.uint8), 3 * mask.astype(np.uint8), np.full((20, 20), 0.9, np.float32), None)
    assert record.doubt == 0.4  # of ids each pixel has the probability of its own
