"""Whether a patch has mistakes of all kinds together or of one kind alone, as most coarse masks are made in one way."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spnrefine.train.data.store import to_device
from spnrefine.train.mistakes.draws import Draws

KINDS = ("polygon", "brush", "strays", "grows", "soft", "low resolution", "regions", "chord", "seeds")


class Kinds:
    """For each of N patches the one kind of mistake it has, or that it may have any.

    ``chosen`` is (N,) integers on the host: an index into :data:`KINDS`, or -1 for any.
    """

    def __init__(self, chosen: NDArray[np.int64], device: torch.device):
        self._host = chosen
        self._device = to_device(chosen, device).view(-1, 1, 1, 1)

    @classmethod
    def draw(cls, count: int, single_chance: float, rng: np.random.Generator, device: torch.device) -> "Kinds":
        """Draw one kind alone with ``single_chance``, all of them equally likely."""
        single = rng.random(count) < single_chance
        return cls(np.where(single, rng.integers(len(KINDS), size=count), -1), device)

    def chance(self, kind: str, chance: float, draws: Draws) -> Tensor:
        """Return (N, 1, 1, 1): 1.0 where a mistake of ``kind`` happens, else 0.0; its ``chance`` holds beside others.

        Alone it happens always, unless its ``chance`` is 0.
        """
        drawn = draws.chance(chance)
        if not chance:
            return drawn
        return torch.where(self._device < 0, drawn, (self._device == KINDS.index(kind)).float())

    def allows(self, *kinds: str) -> Tensor:
        """Return (N, 1, 1, 1): 1.0 where a mistake of one of ``kinds`` may happen, else 0.0."""
        allowed = self._device < 0
        for kind in kinds:
            allowed = allowed | (self._device == KINDS.index(kind))
        return allowed.float()
