import numpy as np
import pytest

from spnrefine.adapt.choosing import applied, choose, choose_by_kind, left_one_out, measured
from spnrefine.adapt.trials import ALONE, USUAL, Trials, all_choices
from spnrefine.refiner.choice import EVERY, Choice

CHOICES = tuple(all_choices([Choice(), Choice(model="broad")]))
BROAD = CHOICES.index(Choice(model="broad"))
HALF = CHOICES.index(Choice(strength=0.5))


def trials(gains, kinds=None, pictures=None, error=0.1):
    """Masks with an error of 0.1, of which every choice loses 0.05 but those with gains."""
    count = len(next(iter(gains.values())))
    errors = np.full((count, len(CHOICES)), error + 0.05, np.float32)
    errors[:, 0] = error
    for place, gain in gains.items():
        errors[:, place] = error - np.array(gain)
    pictures = pictures or [str(number) for number in range(count)]
    return Trials(errors, CHOICES, tuple(pictures), tuple(kinds or ["hard"] * count))


def test_the_first_choices_are_those_that_others_are_compared_with():
    assert CHOICES[:2] == (ALONE, USUAL)
    assert len(set(CHOICES)) >= len(CHOICES) - 1  # as usual comes again among all
    assert any(choice.strength == 0 and choice.grow > 0 for choice in CHOICES)


@pytest.mark.parametrize(
    ("gains", "chosen"),
    [
        ({1: [0.05] * 5}, 1),
        ({1: [0.005] * 5}, 0),  # too little to be sure of
        ({1: [0.09, 0.09, 0.09, 0.09, -0.08]}, 0),  # one in five is made worse
        ({1: [-0.01] * 5}, 0),
        ({1: [0.04] * 5, BROAD: [0.06] * 5}, BROAD),
        ({1: [0.04] * 5, HALF: [0.07] * 5}, HALF),
        ({1: [0.05] * 5, HALF: [0.052] * 5}, 1),  # hardly better: not worth it
    ],
)
def test_what_gains_for_certain_is_chosen(gains, chosen):
    assert choose(trials(gains)) == chosen


def test_the_more_pictures_the_less_has_to_be_gained():
    gain = 0.016
    assert choose(trials({1: [gain] * 3})) == 0
    assert choose(trials({1: [gain] * 12})) == 1


def test_masks_of_one_picture_are_no_independent_evidence():
    gains = [0.05, -0.004] * 6
    assert choose(trials({1: gains})) == 1
    assert choose(trials({1: gains}, pictures=["a"] * 6 + ["b"] * 5 + ["c"])) == 0


def test_kinds_that_differ_get_choices_of_their_own():
    soft, hard = [0.06] * 5 + [-0.06] * 5, [-0.06] * 5 + [0.06] * 5
    found = choose_by_kind(trials({1: soft, BROAD: hard}, kinds=["soft"] * 5 + ["hard"] * 5))
    assert found == {EVERY: 0, "soft": 1, "hard": BROAD}


def test_left_one_out_never_sees_the_picture_it_is_measured_on():
    seen = []

    def chosen_on(rest):
        seen.append(rest.pictures)
        return {EVERY: 1}

    result = left_one_out(trials({1: [0.05, 0.05, -0.02]}), chosen_on)
    assert sorted(seen) == [("0", "1"), ("0", "2"), ("1", "2")]
    assert result.before == pytest.approx(0.1)
    assert result.error_removed == pytest.approx(0.08 / 0.3, abs=1e-6)
    assert result.made_worse == pytest.approx(1 / 3)


def test_choices_apply_by_kind():
    table = trials({1: [0.05, 0.05], HALF: [0.02, 0.02]}, kinds=["soft", "hard"])
    assert np.allclose(applied(table, {EVERY: HALF, "soft": 1}), [0.05, 0.08])
    assert measured(table.errors[:, 0], table.errors[:, 0]).error_removed == 0


def test_painted_masks_are_measured_as_they_will_be_refined():
    table = trials({1: [0.05, 0.05], HALF: [0.02, 0.02]}, kinds=["brush", "hard"])
    assert np.array_equal(applied(table, {EVERY: 1, "hard": HALF}), table.errors[[0, 1], HALF])
    assert np.array_equal(applied(table, {EVERY: HALF, "brush": 1}), table.errors[[0, 1], [1, HALF]])
