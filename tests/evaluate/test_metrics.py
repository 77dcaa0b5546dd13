import numpy as np
import pytest

from spnrefine.evaluate.metrics import Scores, inner_band, iou, mean_boundary_accuracy, score, summarise


def rectangle(top, bottom, left, right, shape=(20, 20)):
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_iou_by_hand():
    # 4 x 4 and 4 x 4 that share 2 x 4: 8 of 24
    assert iou(rectangle(0, 4, 0, 4), rectangle(2, 6, 0, 4)) == pytest.approx(8 / 24)
    assert iou(rectangle(0, 4, 0, 4), rectangle(10, 12, 0, 4)) == 0
    assert iou(np.zeros((3, 3), bool), np.zeros((3, 3), bool)) == 1


def test_inner_band_by_hand():
    band = inner_band(rectangle(4, 12, 4, 12), 2)
    assert band.sum() == 64 - 16, "all but the 4 x 4 pixels further than 2 from the outside"
    assert not band[6:10, 6:10].any()


def test_the_border_of_the_image_counts_as_contour():
    assert inner_band(np.ones((10, 10), bool), 1).sum() == 36


def test_mean_boundary_accuracy_by_hand():
    truth = rectangle(0, 20, 0, 10)
    everything = np.ones_like(truth)
    assert mean_boundary_accuracy(truth, truth, everything) == 1
    assert mean_boundary_accuracy(~truth, truth, everything) == 0
    # the contour's own two columns are 9 and 10: within any radius of 3 to 4 lie columns 6 to 13, or 5 to 14 at 4;
    # a mask one column too wide is wrong in column 10 alone
    wide = rectangle(0, 20, 0, 11)
    assert mean_boundary_accuracy(wide, truth, everything) == pytest.approx((4 * 7 / 8 + 9 / 10) / 5)
    assert mean_boundary_accuracy(truth, np.zeros_like(truth), everything) == 1, "no contour"


def test_void_is_not_scored():
    truth, mask = rectangle(0, 10, 0, 10), rectangle(0, 10, 0, 12)
    valid = ~rectangle(0, 20, 10, 12)
    assert score(mask, truth, valid) == Scores(1, 1, 1)
    assert score(mask, truth).iou < 1


def test_summary_by_hand():
    before = [Scores(0.8, 0.5, 0.5), Scores(0.9, 0.5, 0.5), Scores(0.9, 0.5, 0.5), Scores(0.8, 0.5, 0.5)]
    after = [Scores(0.9, 0.6, 0.7), Scores(0.896, 0.6, 0.7), Scores(0.894, 0.6, 0.7), Scores(0.9, 0.6, 0.7)]
    summary = summarise(before, after)
    assert summary.masks == 4
    assert summary.iou == pytest.approx(0.8975)
    assert summary.error_removed == pytest.approx(1 - 0.1025 / 0.15)
    assert summary.made_worse == 0.25, "0.004 lost is within the tolerance, 0.006 is not"


def test_nothing_to_remove():
    perfect = [Scores(1, 1, 1)]
    assert summarise(perfect, perfect).error_removed == 0
