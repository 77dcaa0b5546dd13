import hashlib

import cv2
import numpy as np
import pytest

from spnrefine import Refiner
from spnrefine.model.weights import weights_folder
from spnrefine.refiner import refiner as facade
from spnrefine.refiner.judge import DOUBT, HARM, Judgement, _trees, judge, predicted
from spnrefine.refiner.kinds import KINDS
from spnrefine.refiner.noting import ENOUGH, Used, listening
from spnrefine.refiner.off import Off
from spnrefine.refiner.part_way import between
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


def test_a_network_s_map_is_told_and_thought_worse_than_a_blurred_mask(disc):
    image, good, _ = disc
    rows, columns = np.mgrid[:160, :200]
    width = np.interp(columns, (55, 145), (3, 25))
    widening = (1 / (1 + np.exp((np.hypot(rows - 80, columns - 100) - 45) * 8 / width))).astype(np.float32)
    blurred = cv2.GaussianBlur(good, (0, 0), 3)
    told = [named(signs(image, each, good))["is uneven"] for each in (widening, blurred, good)]
    assert told == [1, 0, 0]
    assert judge(image, widening, good).before < judge(image, blurred, good).before - 0.02


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
    assert len(said) == 50
    assert np.allclose(predicted(numbers), np.mean(said, 0), atol=1e-6)


def test_the_card_is_of_the_trees_beside_it():
    folder = weights_folder() / "judge"
    card = (folder / "CARD.md").read_text()
    assert hashlib.sha256((folder / "trees.safetensors").read_bytes()).hexdigest() in card
    assert f"{len(_trees()['root'])} extremely randomised trees" in card
    assert f"{len(_trees()['feature']):,} nodes" in card
    assert f"| {len(NAMES)} numbers" in card


def test_a_mask_on_the_edge_is_thought_better_than_one_beside_it(disc):
    image, good, moved = disc
    right, wrong = judge(image, good, good), judge(image, moved, good)
    assert right.before > wrong.before + 0.02
    assert wrong.gain > 0.3 > right.gain


def refiner_to(good, **how):
    """A refiner that makes ``good`` of every mask."""
    refiner = Refiner.__new__(Refiner)
    usual = {"choices": {}, "strength": None, "off": None, "threshold": 0.5, "careful": False, "heeds_judge": True}
    vars(refiner).update(usual | {"temperature": None, "by_kind": {}} | how)
    refiner.sights = {None: lambda image, coarse, *_, form: good}
    return refiner


SURE, UNSURE, HARMED = Judgement(0.9, 0.95, 0.5), Judgement(0.9, 0.9, 0.0), Judgement(0.9, 0.8, -0.5)
DOUBTED = Judgement(0.9, 0.88, (HARM + DOUBT) / 2)


@pytest.mark.parametrize(
    ("judged", "how", "strength"),
    [
        (HARMED, {}, 0.0),
        (DOUBTED, {}, 0.5),
        (DOUBTED, {"careful": True}, 0.0),
        (UNSURE, {}, 1.0),
        (UNSURE, {"careful": True}, 0.0),
        (SURE, {"careful": True}, 1.0),
        (HARMED, {"strength": 1.0}, 1.0),  # what is asked for holds
        (HARMED, {"off": Off(3.0)}, 1.0),  # and what is known
        (HARMED, {"strength": 0.5, "careful": True}, 0.0),
        (HARMED, {"heeds_judge": False}, 1.0),  # weights that the judge knows nothing of
        (HARMED, {"heeds_judge": False, "careful": True}, 0.0),
        (None, {}, 1.0),  # no contour
        (HARMED, {"kind": "soft"}, 1.0),  # it is not meant to be exact
        (HARMED, {"kind": "soft", "careful": True}, 0.0),
    ],
)
def test_a_hard_mask_that_seems_right_comes_back(disc, monkeypatch, judged, how, strength):
    image, good, moved = disc
    how = dict(how)
    kind = how.pop("kind", "hard")
    monkeypatch.setattr(facade, "kind_and_brush", lambda _: (kind, None))
    monkeypatch.setattr(facade, "judge", lambda *_: judged)
    with listening() as used:
        refined = refiner_to(good, **how)(image, moved)
    expected = {0.0: moved > 0, 0.5: between(moved > 0, good > 0, 0.5), 1.0: good > 0}[strength]
    assert np.array_equal(refined > 0.5, expected)
    assert refined is not moved
    after = None if judged is None else pytest.approx(0.9 + strength * (judged.after - 0.9))
    off = 3.0 if "off" in how else None
    assert used == [Used(strength, off, judged and 0.9, after)]
    assert np.array_equal(refiner_to(good, **how)(image, moved > 0) > 0.5, expected)  # whether somebody listens or not


def test_auto_heeds_the_judge_with_weights_that_it_knows():
    assert [Refiner(name, "cpu").heeds_judge for name in ("general", "broad", "polygon")] == [True] * 3
    for asked in ("auto", None):
        assert Refiner(device="cpu", strength=asked).strength is None


def test_of_many_masks_a_listener_hears_the_quality_of_the_first(disc):
    image, good, moved = disc
    refiner = refiner_to(good, strength=1.0)
    with listening() as used:
        for _ in range(ENOUGH + 2):
            refiner(image, moved)
    assert [one.quality_before is not None for one in used] == [True] * ENOUGH + [False] * 2


def test_who_does_not_want_to_know_the_quality_does_not_wait_for_it(disc, monkeypatch):
    image, good, moved = disc
    monkeypatch.setattr(facade, "judge", None)
    refiner = refiner_to(good, strength=1.0)
    with listening(judged=False) as used, listening() as inner:
        refiner(image, moved)
    assert (used, inner) == ([], [Used()])
