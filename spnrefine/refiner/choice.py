"""How masks of a kind are refined: what `spnrefine adapt` chooses, and weights made by it hold."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any

from spnrefine.errors import SpnRefineError, WeightsError
from spnrefine.model import weights
from spnrefine.refiner.kinds import BRUSH, HARD, KINDS
from spnrefine.refiner.off import Off

EVERY = "any"
"""The kind of masks whose own kind has no choice of its own."""


@dataclass(frozen=True)
class Choice:
    """How masks are refined, and how far the contour goes then.

    Attributes
    ----------
    model : name of a refiner that ships; None is the one whose file holds the choice.
    strength : 0..1, how far from the coarse to the refined contour; at 0 no network is asked.
    off : how far off the mask's edge may be, as text, see :class:`~spnrefine.refiner.off.Off`; None: nothing is said.
    level : the probability at which the refined contour lies; None: at the threshold of the refiner.
    grow : how far out the contour is moved in the end, as a share of the object's size; below 0 inwards.
    band : the farthest that the contour may go from the coarse one, as a share of the object's size; None: anywhere.
    """

    model: str | None = None
    strength: float = 1.0
    off: str | None = None
    level: float | None = None
    grow: float = 0.0
    band: float | None = None

    @property
    def leaves_alone(self) -> bool:
        """Whether masks come back as they came."""
        return self.strength == 0 and self.grow == 0

    def in_words(self) -> str:
        """Say in a few words what is done."""
        if self.leaves_alone:
            return "leave them alone"
        words = []
        if self.strength > 0:
            words.append("all the way" if self.strength == 1 else f"{self.strength:g} of the way")
            words += [f"by {self.model}"] if self.model else []
            words += [f"--off {self.off}"] if self.off else []
            words += [f"contour at {self.level:g}"] if self.level is not None else []
        if self.grow:
            words.append(f"{'out' if self.grow > 0 else 'in'} by {100 * abs(self.grow):g} % of the object's size")
        words += [f"at most {100 * self.band:g} % of it from the coarse contour"] if self.band is not None else []
        return ", ".join(words)

    @property
    def is_usual(self) -> bool:
        """Whether the refined mask stays just as it is."""
        return self.strength == 1 and self.level is None and self.grow == 0 and self.band is None


def choices_of(model: str) -> dict[str, Choice]:
    """Return the choices by kind that a weights file holds; none in most."""
    info = weights.describe(model)
    return from_text(info.choices, info.name) if info.choices else {}


def choice_for(choices: Mapping[str, Any], kind: str) -> Any:
    """Return the choice, or whatever else there is by kind, of masks of a kind; None where there is none.

    Painted masks have that of hard ones where they have none of their own: there were such files before they had.
    """
    nearest = (kind, HARD, EVERY) if kind == BRUSH else (kind, EVERY)
    return next((choices[each] for each in nearest if each in choices), None)


AUTO = "auto"


def checked_strength(strength: float | str | None) -> float | None:
    """Return how far to go, 0..1; None for ``"auto"``, or None.

    Raises
    ------
    SpnRefineError
        It is no number of these.
    """
    if strength is None or strength == AUTO:
        return None
    if not isinstance(strength, Real) or not 0 <= strength <= 1:
        raise SpnRefineError(f"The strength was {strength}: expected 0 to 1, or auto.")
    return float(strength)


def checked_threshold(threshold: float) -> float:
    """Return the probability above which the object is, 0..1 without 1, above which there is nothing.

    Raises
    ------
    SpnRefineError
        It is no number of these.
    """
    if not isinstance(threshold, Real) or not 0 <= threshold < 1:
        raise SpnRefineError(f"The threshold was {threshold}: expected 0 or more, and less than 1.")
    return float(threshold)


def to_text(choices: Mapping[str, Choice]) -> str:
    """Return choices by kind as a line of JSON, for the header of a weights file."""
    return json.dumps({kind: asdict(choice) for kind, choice in choices.items()}, sort_keys=True)


def from_text(text: str, name: str) -> dict[str, Choice]:
    """Read the choices by kind of a weights file called ``name``.

    Raises
    ------
    WeightsError
        They are not such as :func:`to_text` writes.
    """
    try:
        read = json.loads(text)
        return {kind: _checked(kind, each) for kind, each in read.items()}
    except (TypeError, ValueError, AttributeError, RecursionError, SpnRefineError) as error:
        raise WeightsError(
            f"{name} holds choices that are wrong ({error}): make it again with spnrefine adapt."
        ) from None


def _checked(kind: str, values: Any) -> Choice:
    choice = Choice(**values)
    if kind not in (*KINDS, BRUSH, EVERY):
        raise ValueError(f"no kind {kind!r:.40}")
    numbers = {"strength": (0, 1), "level": (0, 1), "grow": (-1, 1), "band": (0, 10)}
    for name, (least, most) in numbers.items():
        value = getattr(choice, name)
        if value is None and name in ("level", "band"):
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(f"{name} {value!r:.40}")
    if not isinstance(choice.model, str | None) or not isinstance(choice.off, str | None):
        raise ValueError("model or off")
    Off.of(choice.off)
    return choice
