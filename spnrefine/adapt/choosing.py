"""Which choice is best on a few examples, with a margin for chance: the more are compared, the more must be gained."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spnrefine.adapt.trials import Trials
from spnrefine.evaluate.summary import MADE_WORSE
from spnrefine.refiner.choice import EVERY, Choice, choice_for

MARGINS = 2.0, 2.0, 2.5
"""Standard errors that a choice has to gain: a refiner that ships over leaving alone, other strengths over that, all
others over the best of these. Found on held-aside pairs of the training sets."""
PRIOR = 3
"""Examples that the guess of how much gains vary counts for, beside those that are there."""
GUESS = 0.22, 0.12  # of the coarse masks' errors, so much gains vary: over masks left alone; between refined ones
MOST_WORSE, BY_CHANCE = 0.06, 0.8
"""Of the examples: a choice that makes more of them worse is none; of a few, a single one. Of many it may be more by so
many standard deviations, as one that makes this share worse would at times."""
ALIKE = 0.3  # of that variance the masks of one picture share
LEAST_ERROR = 0.02
FEWEST = 3
"""Pictures that a kind of masks needs for a choice of its own."""
ALONE, USUAL = 0, 1


@dataclass(frozen=True)
class Measured:
    """What choices do: ``error_removed`` of the coarse masks' mean error, and the share of masks made worse."""

    before: float
    after: float
    error_removed: float
    made_worse: float


def choose(trials: Trials) -> int:
    """Return the place of the choice to make; that of leaving masks alone where nothing is better for certain.

    A loss counts twice: whoever refines masks expects them to be no worse.

    Three stages follow each other, each against what the one before chose: refiners that ship, all the way; strengths;
    everything.
    """
    current = ALONE
    stages = _stages(trials.choices)
    gained = trials.errors[:, [ALONE]] - trials.errors
    pictures = [trials.among(picture) for picture in dict.fromkeys(trials.pictures)]
    gained, worth = (np.stack([one[among].mean(0) for among in pictures]) for one in (gained, _worth(trials.errors)))
    worse = (trials.errors > trials.errors[:, [ALONE]] + MADE_WORSE).sum(0)
    many = len(trials.errors)
    harmful = worse > MOST_WORSE * many + BY_CHANCE * np.sqrt(MOST_WORSE * (1 - MOST_WORSE) * many)
    square = float((np.maximum(trials.errors[:, ALONE], LEAST_ERROR) ** 2).mean())
    for margin, guess, stage in zip(MARGINS, (GUESS[0], GUESS[1], GUESS[1]), stages, strict=True):
        guess = GUESS[0] if current == ALONE else guess
        gain = worth[:, stage] - worth[:, [current]]  # masks of one picture are no independent evidence
        count = len(gain)
        varies = gained[:, stage] - gained[:, [current]]  # a loss that counts twice says no less for certain by that
        known = varies.var(0, ddof=1) if count > 1 else np.zeros(gain.shape[1])
        masks = len(trials.pictures) / count
        spread = guess**2 * (ALIKE + (1 - ALIKE) / masks) * square
        deviation = np.sqrt(((count - 1) * known + PRIOR * spread) / (count - 1 + PRIOR))
        score = np.where(harmful[stage], -1, gain.mean(0) - margin * deviation / np.sqrt(count))
        if score.max() > 0:
            current = int(stage[score.argmax()])
    return current


def choose_by_kind(trials: Trials) -> dict[str, int]:
    """Return a choice for all masks, and one for each kind of which there are enough, where that is better.

    Better it is where picture for picture, each left out in turn, less of the error is left.
    """
    chosen = {EVERY: choose(trials)}
    kinds = sorted(set(trials.kinds))
    if len(kinds) == 1:
        return chosen
    for kind in kinds:
        own = trials.of(np.array([each == kind for each in trials.kinds]))
        if len(set(own.pictures)) < FEWEST:
            continue
        found = choose(own)
        if found == chosen[EVERY]:
            continue
        alone = left_one_out(own, lambda rest: {EVERY: choose(rest)})
        together = _of_kind(trials, kind)
        if alone.after < together.after:
            chosen[kind] = found
    return chosen


def _of_kind(trials: Trials, kind: str) -> Measured:
    """Measure, on the masks of a kind, what is chosen on all masks of the other pictures."""
    places = np.array([each == kind for each in trials.kinds])
    after = np.zeros(len(places))
    for picture in set(trials.pictures):
        out = trials.among(picture)
        if (~out).any():
            after[out] = trials.errors[out, choose(trials.of(~out))]
    return measured(trials.errors[places, ALONE], after[places])


def left_one_out(trials: Trials, chosen_on: Callable[[Trials], dict[str, int]]) -> Measured:
    """Measure what ``chosen_on``, which makes choices by kind of trials, does on each picture by all the others."""
    after = np.zeros(len(trials.errors), np.float32)
    for picture in set(trials.pictures):
        out = trials.among(picture)
        choices = chosen_on(trials.of(~out)) if (~out).any() else {EVERY: ALONE}
        after[out] = applied(trials.of(out), choices)
    return measured(trials.errors[:, ALONE], after)


def applied(trials: Trials, choices: dict[str, int]) -> NDArray[np.float32]:
    """Return the error (N,) of each example under choices by kind."""
    return np.array(
        [row[choice_for(choices, kind)] for row, kind in zip(trials.errors, trials.kinds, strict=True)],
        np.float32,
    )


def measured(before: NDArray[np.float32], after: NDArray[np.float32]) -> Measured:
    """Measure errors (N,) of coarse masks and of what became of them."""
    old, new = float(before.mean()), float(after.mean())
    return Measured(old, new, 1 - new / old if old else 0.0, float((after > before + MADE_WORSE).mean()))


def _worth(errors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the IoU gained over masks left alone, of errors (N, C) likewise; lost IoU counts twice."""
    gain = errors[:, [ALONE]] - errors
    return gain - np.maximum(-gain, 0)


def _stages(choices: Sequence[Choice]) -> tuple[NDArray[np.int64], ...]:
    whole = [place for place, each in enumerate(choices) if each.is_usual and each.off is None]
    strengths = [place for place, each in enumerate(choices) if _plain(each)]
    return np.array(whole), np.array(strengths), np.arange(USUAL, len(choices))


def _plain(choice: Choice) -> bool:
    return choice.strength > 0 and replace(choice, model=None, strength=1.0) == Choice()
