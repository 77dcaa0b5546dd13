import numpy as np
import pytest

from spnrefine import Refiner
from spnrefine.refiner import refiner as facade
from spnrefine.refiner.judge import Judgement, _trees, judge, predicted
from spnrefine.refiner.kinds import KINDS
from spnrefine.refiner.noting import ENOUGH, Used, listening
from spnrefine.refiner.signs import NAMES, signs


@pytest.fixture(scope="module")
def disc():
    """A bright disc on a dark ground, its mask, and the mask moved by six pixels."""
    rows, columns = np.mgrid[:160, :200]
    inside = np.hypot(rows - 80, columns - 100) < 45
    image = np.where(inside[..., None], np.uint8(190), np.uint8(60)) + np.zeros((1, 1, 3), np.uint8)
    rng = np.random.default_rng(0)
    image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    return image, inside.astype(np.float32), np.roll(inside, 6, 1).astype(np.float32)


def named(numbers):
    return dict(zip(NAMES, numbers.tolist(), strict=True))


def test_signs_tell_what_they_are_named_for(disc):
    image, good, moved = disc
    found = named(signs(image, moved, good))
    assert found["gain: contrast"] > 0.3
    assert found["gain: edges"] > 0.3
    both = (good > 0) & (moved > 0)
    assert found["IoU of both"] == pytest.approx(both.sum() / ((good > 0) | (moved > 0)).sum(), abs=0.02)
    assert found["growth"] == pytest.approx(0, abs=0.02)
    assert found["size"] == pytest.approx(np.log(np.sqrt(good.sum())), abs=0.05)
    assert found["added like inside"] > 0.7
    assert found["removed like outside"] > 0.7
    assert [found[f"is {kind}"] for kind in KINDS].count(1) == 1
    assert found["uncertainty"] == 0
    back = named(signs(image, good, moved))
    assert back["gain: contrast"] == pytest.approx(-found["gain: contrast"], abs=0.05)
    assert back["added like inside"] < -0.5


def test_without_a_contour_there_is_nothing_to_see(disc):
    image, good, _ = disc
    nothing = np.zeros_like(good)
    assert signs(image, nothing, nothing) is None
    assert signs(image, good, nothing) is None
    assert signs(image[60:100, 80:120], good[60:100, 80:120], good[60:100, 80:120]) is None


def test_the_trees_say_the_mean_of_what_each_leaf_says():
    trees = _trees()
    numbers = np.random.default_rng(3).normal(size=len(NAMES)).astype(np.float32)
    said = []
    for node in trees["root"].tolist():
        while trees["left"][node] != node:
            side = "left" if numbers[trees["feature"][node]] <= trees["threshold"][node] else "right"
            node = int(trees[side][node])
        said.append(trees["value"][node])
    assert len(said) == 60
    assert np.allclose(predicted(numbers), np.mean(said, 0), atol=1e-6)


def test_a_mask_on_the_edge_is_thought_better_than_one_beside_it(disc):
    image, good, moved = disc
    right, wrong = judge(image, good, good), judge(image, moved, good)
    assert right.before > wrong.before + 0.02
    assert wrong.gain > 0.3 > right.gain


@pytest.mark.parametrize(
    ("judged", "strength", "asked"),
    [
        (Judgement(0.9, 0.8, -0.5, 0.0), 0.0, [None]),  # kept
        (Judgement(0.9, 0.95, 0.5, 0.5), 1.0, [None]),
        (Judgement(0.9, 0.91, 0.1, 0.5), 1.0, [None, "broad"]),
    ],
)
def test_who_is_careful_heeds_the_judge(disc, monkeypatch, judged, strength, asked):
    image, good, moved = disc
    heard = []
    refiner = Refiner.__new__(Refiner)
    refiner.choices, refiner.strength, refiner.off, refiner.threshold, refiner.careful = {}, None, None, 0.5, True
    refiner.temperature, refiner.by_kind = None, {}
    refiner.sights = {
        name: lambda image, coarse, off, finer=None, name=name: (heard.append(name), good)[1]
        for name in (None, "broad")
    }
    monkeypatch.setattr(facade, "judge", lambda *_: judged)
    with listening() as used:
        refined = refiner(image, moved)
    assert heard == asked
    assert np.array_equal(refined, good if strength else moved)
    after = {0.0: 0.9}.get(strength, judged.after if len(asked) == 1 else 0.95)
    assert used == [Used(strength, None, 0.9, pytest.approx(after))]


def test_of_many_masks_a_listener_hears_the_quality_of_the_first(disc):
    image, good, moved = disc
    refiner = Refiner.__new__(Refiner)
    refiner.choices, refiner.strength, refiner.off, refiner.threshold, refiner.careful = {}, None, None, 0.5, False
    refiner.temperature, refiner.by_kind = None, {}
    refiner.sights = {None: lambda image, coarse, *_: good}
    with listening() as used:
        for _ in range(ENOUGH + 2):
            refiner(image, moved)
    assert [one.quality_before is not None for one in used] == [True] * ENOUGH + [False] * 2


def test_who_does_not_want_to_know_the_quality_does_not_wait_for_it(disc, monkeypatch):
    image, good, moved = disc
    monkeypatch.setattr(facade, "judge", None)
    refiner = Refiner.__new__(Refiner)
    refiner.choices, refiner.strength, refiner.off, refiner.threshold, refiner.careful = {}, None, None, 0.5, False
    refiner.temperature, refiner.by_kind = Used().temperature, {}
    refiner.sights = {None: lambda image, coarse, *_: good}
    with listening(judged=False) as used, listening() as inner:
        refiner(image, moved)
    assert (used, inner) == ([], [Used()])
