import numpy as np
import pytest

from spnrefine.evaluate.calibration import BINS, Reliability, tally, tally_winner

ALL = np.ones((1, 8), bool)


def row(*values):
    return np.array([values], np.float32)


def bits(*values):
    return np.array([values], bool)


def test_bins_and_error_by_hand():
    # 0.0 to 0.1: 0.02 and 0.06, of which one is the object's; 0.8 to 0.9: 0.8, 0.8, 0.85, 0.87, of which three are;
    # 0.9 to 1.0: 0.94 and 1.0, both are
    p = row(0.02, 0.06, 0.8, 0.8, 0.85, 0.87, 0.94, 1.0)
    truth = bits(0, 1, 1, 1, 0, 1, 1, 1)
    found = tally(p, truth, ALL)
    assert found.rows() == [
        {"from": 0.0, "to": 0.1, "predicted": pytest.approx(0.04), "observed": 0.5, "pixels": 2},
        {"from": 0.8, "to": 0.9, "predicted": pytest.approx(0.83), "observed": 0.75, "pixels": 4},
        {"from": 0.9, "to": 1.0, "predicted": pytest.approx(0.97), "observed": 1.0, "pixels": 2},
    ]
    by_hand = (2 * abs(0.5 - 0.04) + 4 * abs(0.75 - 0.83) + 2 * abs(1 - 0.97)) / 8
    assert found.expected_calibration_error == pytest.approx(by_hand)


def test_only_chosen_pixels_count():
    found = tally(row(0.2, 0.9, 0.9), bits(0, 1, 0), bits(1, 1, 0))
    assert found.pixels.sum() == 2
    assert found.expected_calibration_error == pytest.approx((0.2 + 0.1) / 2)


def test_diagrams_add_up_over_masks():
    p, truth = row(0.3, 0.3, 0.6, 0.1), bits(1, 0, 1, 0)
    everywhere = np.ones_like(truth)
    together = tally(p, truth, everywhere)
    halves = tally(p[:, :2], truth[:, :2], everywhere[:, :2]) + tally(p[:, 2:], truth[:, 2:], everywhere[:, 2:])
    assert halves.rows() == together.rows()


def test_a_mask_that_means_what_it_says_has_no_error():
    rng = np.random.default_rng(0)
    p = rng.random((400, 400)).astype(np.float32)
    truth = rng.random((400, 400)) < p
    found = tally(p, truth, np.ones_like(truth))
    assert found.expected_calibration_error < 0.005
    assert len(found.rows()) == BINS
    assert tally(p**2, truth, np.ones_like(truth)).expected_calibration_error > 0.1


def test_the_winner_by_hand():
    # sure of 0.94, 0.82, 0.82 and 0.64; wrong about the second alone
    found = tally_winner(row(0.06, 0.82, 0.18, 0.64), bits(0, 0, 0, 1), ALL[:, :4])
    by_hand = (abs(1 - 0.94) + abs(1 - 2 * 0.82) + abs(1 - 0.64)) / 4
    assert found.expected_calibration_error == pytest.approx(by_hand, abs=1e-6)
    assert [bin["from"] for bin in found.rows()] == [0.6, 0.8, 0.9]


def test_no_pixels_no_error():
    assert Reliability().expected_calibration_error is None
    assert Reliability().rows() == []
    assert tally(row(0.5), bits(1), bits(0)).rows() == []
