import numpy as np
import pytest

from spnrefine.evaluate.intervals import differences, intervals
from spnrefine.evaluate.metrics import Scores
from spnrefine.evaluate.summary import summarise


def scored(values):
    return [Scores(iou, iou / 2, None if iou > 0.99 else iou / 3) for iou in values]


@pytest.fixture
def drawn():
    rng = np.random.default_rng(0)
    before = rng.uniform(0.5, 0.9, 120)
    return before, before + rng.normal(0.03, 0.05, 120)


def test_the_interval_of_a_mean_is_that_of_its_standard_error(drawn):
    before, after = drawn
    found = intervals(scored(before), scored(after))
    half = 1.96 * after.std() / np.sqrt(len(after))
    assert found["iou"].low == pytest.approx(after.mean() - half, abs=0.1 * half)
    assert found["iou"].high == pytest.approx(after.mean() + half, abs=0.1 * half)
    removed = summarise(scored(before), scored(after)).error_removed
    assert found["error_removed"].low < removed < found["error_removed"].high


def test_paired_differences_are_sharper_than_those_of_means(drawn):
    before, after = drawn
    of_mean = intervals(scored(before), scored(after))["iou"]
    value, (low, high) = differences(scored(before), scored(after), scored(before))["iou"]
    assert value == pytest.approx((after - before).mean())
    half = 1.96 * (after - before).std() / np.sqrt(len(after))
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    assert high - low < 0.5 * (of_mean.high - of_mean.low)


def test_the_same_pictures_give_the_same_interval(drawn):
    before, after = drawn
    assert intervals(scored(before), scored(after)) == intervals(scored(before), scored(after))
    same = differences(scored(before), scored(after), scored(after))
    assert all(value == (0, (0, 0)) for value in same.values())


def test_what_is_undefined_on_some_draws_has_no_interval():
    before, after = scored([0.9] + [1.0] * 3), scored([0.95] + [1.0] * 3)
    found = intervals(before, after)
    assert found["mba"] == (None, None), "defined for one picture in four, so that some draws have none"
    assert found["error_removed"].low == 0, "draws without the one that has an error remove nothing"
    worse = intervals(scored([1.0, 1.0]), scored([0.9, 0.9]))
    assert worse["error_removed"] == (None, None)
    assert worse["made_worse"] == (1, 1)


def test_objects_of_one_picture_are_drawn_together():
    rng = np.random.default_rng(1)
    level = rng.uniform(0.2, 0.8, 12)  # of pictures, whose objects are all alike
    each = [Scores(value, value, value) for value in level]
    several = [one for one in each for _ in range(10)]
    names = [f"{number}.png" for number in range(12) for _ in range(10)]
    alone = intervals(each, each)["iou"]
    assert intervals(several, several, names)["iou"] == pytest.approx(alone, abs=0.02)
    apart = intervals(several, several)["iou"]
    assert apart.high - apart.low < 0.5 * (alone.high - alone.low)
    assert differences(several, several, several, names)["iou"] == (0, (0, 0))
