import numpy as np
import pytest

from spnrefine import Refiner, WeightsError
from spnrefine.model import weights
from spnrefine.model.rewriting import with_header
from spnrefine.refiner.choice import EVERY, Choice, from_text, to_text
from spnrefine.refiner.noting import Used, listening
from spnrefine.refiner.part_way import settled

CHOICES = {
    EVERY: Choice(strength=0.5, level=0.3, grow=0.01, band=0.2),
    "soft": Choice(strength=0.0),
    "blocks": Choice(model="broad", off="6%"),
}


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    path = tmp_path_factory.mktemp("adapted") / "mine.safetensors"
    path.write_bytes(with_header("general", {weights.CHOICES: to_text(CHOICES)}))
    return path


@pytest.fixture(scope="module")
def drawn():
    image = np.full((60, 80, 3), 40, np.uint8)
    image[10:50, 20:60] = 200
    coarse = np.zeros((60, 80), np.float32)
    coarse[14:54, 24:64] = 1
    return image, coarse


def test_choices_come_back_as_they_were_written():
    assert from_text(to_text(CHOICES), "mine") == CHOICES


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"any": 1}', '{"fur": {}}', '{"any": {"strength": 2}}', '{"any": {"off": "far"}}', '{"any": {"x": 1}}',
     '{"any": {"strength": "1"}}', '{"any": {"model": 3}}', '{"any": {"grow": null}}', '{"any": {"strength": true}}'],
)  # fmt: skip
def test_wrong_choices_are_refused_in_a_sentence(text):
    with pytest.raises(WeightsError, match=r"make it again with spnrefine adapt\.$"):
        from_text(text, "mine")


def test_tensors_stay_and_results_depend_on_the_choices(adapted):
    usual, info = weights.describe("general"), weights.describe(adapted)
    assert info.sha256 == usual.sha256
    assert info.identity != usual.identity == usual.sha256
    weights.read(adapted)  # checks the sum


def test_masks_are_refined_as_the_choice_for_their_kind_says(adapted, drawn):
    image, coarse = drawn
    refiner, usual = Refiner(str(adapted), "cpu"), Refiner("general", "cpu")
    expected = settled(coarse, usual(image, coarse), CHOICES[EVERY])
    with listening() as used:
        assert np.array_equal(refiner(image, coarse), expected)
    assert [(one.strength, one.off) for one in used] == [(0.5, None)]

    rows = np.clip(np.abs(np.arange(60) - 29.5) / 20, 0, 1)
    soft = np.repeat((1 - rows)[:, None], 80, 1).astype(np.float32)
    soft[:, :10] = soft[:, -10:] = 0
    with listening() as used:
        assert np.array_equal(refiner(image, soft), soft)
    assert used == [Used(0.0, None)]

    refiner.strength = 1.0  # what is asked for goes before
    refiner.choices = {EVERY: Choice(strength=0.5)}
    assert np.array_equal(refiner(image, coarse), usual(image, coarse))


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(), "all the way"),
        (Choice(strength=0), "leave them alone"),
        (Choice(strength=0, grow=-0.015), "in by 1.5 % of the object's size"),
        (Choice("broad", 0.5, "6%", 0.7), "0.5 of the way, by broad, --off 6%, contour at 0.7"),
        (Choice(band=0.06), "all the way, at most 6 % of it from the coarse contour"),
    ],
)
def test_choices_are_said_in_words(choice, words):
    assert choice.in_words() == words


def test_the_default_has_polygons_refined_by_weights_of_their_own(drawn):
    image, coarse = drawn
    others = np.where(coarse > 0.5, 0.9, 0.05).astype(np.float32)  # the same, soft
    default, polygon = Refiner("general", "cpu"), Refiner("polygon", "cpu")
    assert np.array_equal(default(image, coarse), polygon(image, coarse))
    assert not np.array_equal(default(image, others), polygon(image, others))


def test_no_weights_are_loaded_for_a_mask_that_is_left_alone(drawn):
    refiner = Refiner("general", "cpu", off=0)
    assert np.array_equal(refiner(*drawn), drawn[1])
    assert "polygon" not in refiner.sights
