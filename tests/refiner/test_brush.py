from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spnrefine import Refiner
from spnrefine.adapt.coarse import MAKERS
from spnrefine.refiner.brush import MOST_POINTS, ODDS, OFF, _rings, brush_radius, favoured
from spnrefine.refiner.choice import EVERY, Choice, choice_for
from spnrefine.refiner.kinds import kind_and_brush, kind_of
from spnrefine.refiner.noting import listening
from spnrefine.refiner.way import Way

ALIKE = 0.15  # of a radius: what is told of one brush


def pixels_within(drawn, x, y, radius):
    rows, columns = np.ogrid[: drawn.shape[0], : drawn.shape[1]]
    drawn[np.hypot(rows - y, columns - x) <= radius] = 1


def filled_circle(drawn, x, y, radius):
    cv2.circle(drawn, (round(x), round(y)), round(radius), 1, -1)


def polygon_of_32_sides(drawn, x, y, radius):
    angles = np.arange(32) * np.pi / 16
    corners = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1)
    cv2.fillPoly(drawn, [np.rint(corners * 16).astype(np.int32)], 1, shift=4)


def half_covered(drawn, x, y, radius):
    cover = np.zeros(drawn.shape, np.uint8)
    cv2.circle(cover, (round(16 * x), round(16 * y)), round(16 * radius), 255, -1, cv2.LINE_AA, 4)
    drawn[cover > 127] = 1


DABS = pixels_within, filled_circle, polygon_of_32_sides, half_covered


def painted(radius, seed=0, dab=pixels_within, larger=4.0):
    """Paint along the inside of an oval, ``larger`` times the brush, and fill it."""
    rng = np.random.default_rng(seed)
    across, down = radius * larger * rng.uniform(1, 1.4), radius * larger
    drawn = np.zeros((int(2 * down + 20), int(2 * across + 20)), np.uint8)
    y, x = (side / 2 for side in drawn.shape)
    cv2.ellipse(drawn, (round(x), round(y)), (round(across - radius), round(down - radius)), 0, 0, 360, 1, -1)
    angle = rng.uniform(0, 1)
    last = angle + 2 * np.pi - 0.6 * radius / across
    while angle < last:
        dab(drawn, x + (across - radius) * np.cos(angle), y + (down - radius) * np.sin(angle), radius)
        angle += rng.uniform(0.9, 1.3) / larger
    return drawn.astype(bool)


@given(radius=st.floats(8, 34), seed=st.integers(0, 99), dab=st.sampled_from(DABS), moved=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_where_the_mask_lies_does_not_matter(radius, seed, dab, moved):
    mask = painted(radius, seed, dab)
    assert brush_radius(np.pad(mask, ((moved, 3), (0, moved)))) == brush_radius(mask)


@pytest.mark.parametrize("turned", [np.array, np.fliplr, np.flipud, np.transpose, np.rot90])
def test_the_brush_is_told_however_the_mask_is_turned(turned):
    """All but a few of them: where an outline begins decides which stretches are looked at."""
    radii = np.linspace(14, 34, 24)
    masks = [painted(radius, seed, DABS[seed % len(DABS)]) for seed, radius in enumerate(radii)]
    told = np.array([brush_radius(np.ascontiguousarray(turned(mask))) or 0 for mask in masks])
    assert (np.abs(told / radii - 1) < ALIKE).mean() >= 0.9


def good():
    rows, columns = np.mgrid[:240, :300]
    return np.hypot(rows - 118, columns - 152) < 70 + 9 * np.sin(5 * np.arctan2(rows - 118, columns - 152))


def discs(*centres, radius=30):
    drawn = np.zeros((240, 300), np.uint8)
    for x, y in centres:
        pixels_within(drawn, x, y, radius)
    return drawn.astype(bool)


def enlarged(mask):
    return np.kron(mask[4::8, 4::8], np.ones((8, 8), bool))


OTHERS = {
    "nothing": np.zeros((40, 40), bool),
    "all": np.ones((40, 40), bool),
    "a pixel": np.pad(np.ones((1, 1), bool), 9),
    "an outline": good(),
    "a disc": discs((150, 120)),
    "two that meet": discs((120, 120), (160, 130)),
    "many apart": discs((50, 50), (150, 50), (250, 50), (50, 150), (150, 150), (250, 150)),
    "an ellipse": cv2.ellipse(np.zeros((240, 300), np.uint8), (150, 120), (110, 50), 30, 0, 360, 1, -1).astype(bool),
    "a box": np.pad(np.ones((100, 140), bool), 40),
    "blocks": enlarged(good()),
    "a painted one, as blocks": enlarged(painted(30)),
    "smoothed": cv2.GaussianBlur(painted(20).astype(np.float32), (0, 0), 8) > 0.5,
    **{f"{name} {seed}": MAKERS[name](good(), np.random.default_rng(seed)) > 0.5
       for name in ("low resolution", "polygon", "warped") for seed in range(5)},
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_no_brush_is_told_of_other_masks(name):
    assert brush_radius(OTHERS[name]) is None


def test_dabs_at_random_are_told_and_their_kind():
    radius = round(0.1 * np.sqrt(good().sum()))
    found = [kind_and_brush(MAKERS["brush"](good(), np.random.default_rng(seed))) for seed in range(8)]
    assert found == [("brush", pytest.approx(radius, rel=ALIKE))] * 8
    assert kind_and_brush(good().astype(np.float32)) == ("hard", None)
    assert kind_and_brush(good()) == ("hard", None)
    assert kind_of(painted(20)) == "hard"  # what the judge knows


def test_of_a_large_mask_a_bounded_number_of_points_is_looked_at():
    large = painted(340, dab=filled_circle)
    contours, _ = cv2.findContours(large.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    rings, step = _rings([np.asarray(each[:, 0], np.int32) for each in contours])
    assert sum(map(len, contours)) > 2 * MOST_POINTS
    assert step == 3
    assert len(rings.xy) <= MOST_POINTS
    assert brush_radius(large) == pytest.approx(340, rel=ALIKE)


def test_the_object_becomes_so_many_times_as_likely():
    before = np.array([[0, 0.1, 0.4, 0.5, 0.9, 1]], np.float32)
    after = favoured(before.copy())
    assert after[0, 0] == 0
    assert after[0, -1] == 1
    odds = [each[0, 1:-1] / (1 - each[0, 1:-1]) for each in (before, after)]
    np.testing.assert_allclose(odds[1], ODDS * odds[0], rtol=1e-5)


@cache
def loaded(model):
    return Refiner(model, "cpu", 1)


@pytest.fixture(scope="module")
def scene():
    mask = painted(15, seed=3)
    larger = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    noise = np.random.default_rng(1).integers(-9, 9, (*mask.shape, 3))
    return (np.where(larger[..., None], 170, 80) + noise).astype(np.uint8), mask.astype(np.float32)


def test_painted_masks_are_refined_told_how_far_off_they_are(scene):
    off = OFF * brush_radius(scene[1] > 0.5)
    with listening() as used:
        refined = loaded("general")(*scene)
    assert [one.off for one in used] == [off]
    told = loaded("general").told(off)(*scene)  # said by somebody, it is no word on the paint
    assert (refined > 0.5).sum() >= (told > 0.5).sum()
    assert (refined >= told - 1e-6).all()


def test_of_other_weights_nothing_is_known(scene):
    with listening() as used:
        loaded("polygon")(*scene)
    assert used[0].off is None


def test_those_that_are_seen_with_others_are_not_told(scene):
    alone = loaded("general")._way(scene[1])
    assert (alone.form, alone.model, alone.may_be_right) == ("brush", None, True)
    assert alone.together() == alone._replace(form=None, off=None)
    hard = Way(Choice(), None, None, 3.0, False, True, None)
    assert hard.together() == hard


def test_choices_for_hard_masks_hold_for_painted_ones_that_have_none():
    every, hard, brush = Choice(strength=0.5), Choice(strength=0.75), Choice(strength=0)
    assert choice_for({EVERY: every, "hard": hard, "brush": brush}, "brush") == brush
    assert choice_for({EVERY: every, "hard": hard}, "brush") == hard
    assert choice_for({EVERY: every, "soft": hard}, "brush") == every
    assert choice_for({EVERY: every, "brush": brush}, "hard") == every
    assert choice_for({}, "brush") is None
