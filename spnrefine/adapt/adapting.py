"""From a few pairs to a weights file that knows how masks like theirs are refined best."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from spnrefine.adapt.choosing import ALONE, USUAL, Measured, applied, choose_by_kind, left_one_out, measured
from spnrefine.adapt.examples import Example
from spnrefine.adapt.temperature import Fitted, fit_temperature
from spnrefine.adapt.trials import Trials, proposals
from spnrefine.errors import FileError, WeightsError
from spnrefine.model import weights
from spnrefine.model.config import Config
from spnrefine.model.rewriting import with_header
from spnrefine.refiner.choice import Choice, to_text
from spnrefine.refiner.refiner import Refiner

FEWEST_PAIRS = 3


@dataclass(frozen=True)
class Adapted:
    """What was chosen.

    Attributes
    ----------
    choices : by kind of mask, see :mod:`spnrefine.refiner.kinds`; "any" is that of all other kinds.
    pictures, masks : how many it was chosen on.
    as_usual, chosen, left_out : what refining as usual, and what the choices do on them, and what those do that are
        made without the picture on which they are measured.
    fitted : the temperature of what comes out, None where none is better than 1.
    """

    choices: dict[str, Choice]
    pictures: int
    masks: int
    as_usual: Measured
    chosen: Measured
    left_out: Measured
    fitted: Fitted | None = None

    @property
    def leaves_alone(self) -> bool:
        """Whether no mask is refined."""
        return all(choice.leaves_alone for choice in self.choices.values())

    @property
    def uses_its_own(self) -> bool:
        """Whether some masks are refined by the weights themselves, not by others that ship."""
        return any(choice.model is None and choice.strength > 0 for choice in self.choices.values())


def ways_for(model: str) -> list[Choice]:
    """Return the ways of refining that are tried: by a model, and by the others that ship.

    Raises
    ------
    WeightsError
        The model is no refiner, or is adapted already.
    """
    info = weights.describe(model)
    weights.expect(info, weights.SPN)
    if info.choices:
        raise WeightsError(f"{model} is adapted already: name the weights that it was made from.")
    others = []
    for name in weights.available():
        each = weights.describe(name)
        if each.architecture == weights.SPN and each.sha256 != info.sha256:
            others.append((name, _knows(each)))
    return proposals(_knows(info), others)


def _knows(info: weights.WeightsInfo) -> bool:
    return isinstance(info.config, Config) and bool(info.config.knows_off)


def check_enough(pictures: Iterable[str]) -> None:
    """Raise :class:`FileError` where there are too few pictures to choose on."""
    count = len(set(pictures))
    if count < FEWEST_PAIRS:
        raise FileError(f"{count} usable pairs were found: expected at least {FEWEST_PAIRS} photographs with masks.")


def adapt(trials: Trials) -> Adapted:
    """Choose how masks are refined."""
    found = choose_by_kind(trials)
    alone = trials.errors[:, ALONE]
    return Adapted(
        {kind: trials.choices[place] for kind, place in found.items()},
        len(set(trials.pictures)),
        len(trials.pictures),
        measured(alone, trials.errors[:, USUAL]),
        measured(alone, applied(trials, found)),
        left_one_out(trials, choose_by_kind),
    )


def encoded(adapted: Adapted, model: str) -> bytes:
    """Return the bytes of a weights file: those of ``model``, the choices, and the temperature where there is one."""
    more = {} if adapted.fitted is None else {weights.TEMPERATURE: str(adapted.fitted.temperature)}
    return with_header(model, {weights.CHOICES: to_text(adapted.choices)} | more)


def with_temperature(adapted: Adapted, model: str, examples: Sequence[Example], device: str) -> Adapted:
    """Fit a temperature to what the choices make of the examples."""
    if adapted.leaves_alone:
        return adapted
    with TemporaryDirectory(prefix="spnrefine-") as folder:
        path = Path(folder) / "chosen.safetensors"
        path.write_bytes(encoded(adapted, model))
        return replace(adapted, fitted=fit_temperature(examples, Refiner(str(path), device, 1)))


def facts(adapted: Adapted) -> dict[str, Any]:
    """Return what was chosen as an object for JSON."""
    return {
        "pictures": adapted.pictures,
        "masks": adapted.masks,
        "temperature": None if adapted.fitted is None else adapted.fitted._asdict(),
        "choices": {kind: vars(choice) for kind, choice in adapted.choices.items()},
        "in_words": {kind: choice.in_words() for kind, choice in adapted.choices.items()},
        **{
            name: {key: round(value, 4) for key, value in vars(getattr(adapted, name)).items()}
            for name in ("as_usual", "chosen", "left_out")
        },
    }
