import pytest

from spnrefine.evaluate.metrics import Scores
from spnrefine.evaluate.summary import summarise


def test_summary_by_hand():
    before = [Scores(0.8, 0.5, 0.5), Scores(0.9, 0.5, 0.5), Scores(0.9, 0.5, 0.5), Scores(0.8, 0.5, 0.5)]
    after = [Scores(0.9, 0.6, 0.7), Scores(0.896, 0.6, 0.7), Scores(0.894, 0.6, 0.7), Scores(0.9, 0.6, 0.7)]
    summary = summarise(before, after)
    assert summary.masks == 4
    assert summary.iou == pytest.approx(0.8975)
    assert summary.error_removed == pytest.approx(1 - 0.1025 / 0.15)
    assert summary.made_worse == 0.25, "0.004 lost is within the tolerance, 0.006 is not"
    assert summary.undefined == {"iou": 0, "biou": 0, "mba": 0}


def test_what_is_undefined_is_left_out_of_means_and_counted():
    before = [Scores(0.8, 0.5, 0.5), Scores(1, 1, None, both_empty=True), Scores(None, None, None)]
    after = [Scores(0.9, None, 0.7), Scores(1, 1, None, both_empty=True), Scores(None, None, None)]
    summary = summarise(before, after)
    assert summary.iou == pytest.approx(0.95)
    assert (summary.biou, summary.mba) == (1, 0.7)
    assert summary.error_removed == pytest.approx(0.5)
    assert (summary.made_worse, summary.both_empty) == (0, 1)
    assert summary.undefined == {"iou": 1, "biou": 2, "mba": 2}


def test_nothing_to_remove():
    perfect, worse = [Scores(1, 1, 1)], [Scores(0.9, 1, 1)]
    assert summarise(perfect, perfect).error_removed == 0
    assert summarise(perfect, worse).error_removed is None, "no share of nothing"
    assert summarise([Scores(None, None, None)], [Scores(None, None, None)]).error_removed is None
