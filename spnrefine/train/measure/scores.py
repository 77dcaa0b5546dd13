"""How good a network is that needs no coarse mask: whole photographs that were held aside."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from spnrefine.files.classes import VOID, Classes
from spnrefine.train.data.looks import Looks, Photographs
from spnrefine.train.data.pairs import Pair
from spnrefine.train.lessons.lesson import Infer

MOST = 100
WHOLE = Looks((1.0, 1.0), aspect=0, degrees=0, flip_chance=0)


@dataclass(frozen=True)
class Scores:
    """IoU of each class, over all pixels; and the mean over photographs of the mean over their classes."""

    classes: dict[str, float]
    mean: float

    def __str__(self) -> str:
        each = ", ".join(f"{name} {value:.3f}" for name, value in self.classes.items())
        return f"validation: mean IoU {self.mean:.4f}; {each}"


class PhotographScores:
    """Photographs seen whole, squeezed to ``side`` by ``side`` pixels."""

    def __init__(self, pairs: Sequence[Pair], classes: Classes, side: int) -> None:
        chosen = [pairs[index] for index in np.linspace(0, len(pairs) - 1, min(MOST, len(pairs))).astype(int)]
        self.classes, self.count = classes, len(chosen)
        self.photographs = Photographs(chosen, classes, WHOLE, 0, 1, (side // 64 * 64,))

    def fit(self, seconds: float, infer: Infer) -> str | None:
        """Time the first photograph, and keep as many as there is time for, evenly taken."""
        began, before = time.perf_counter(), self.count
        image, _ = self.photographs[0]
        infer(image[None].float() / 255).sum().item()  # a GPU is waited for
        self.count = min(before, max(1, int(seconds / (time.perf_counter() - began))))
        if self.count == before:
            return None
        self.photographs.pairs = [
            self.photographs.pairs[index] for index in np.linspace(0, before - 1, self.count).astype(int)
        ]
        return f"{self.count} of {before} photographs"

    def __call__(self, infer: Infer) -> Scores:
        names = self.classes.names
        overlap, union = (torch.zeros(len(names), dtype=torch.long) for _ in range(2))
        means = []
        for index in range(self.count):
            image, truth = self.photographs[index]
            logits = infer(image[None].float() / 255)
            logits = F.interpolate(logits.cpu(), truth.shape[-2:], mode="bilinear", align_corners=False)[0]
            found = (logits[0] > 0).long() if len(logits) == 1 else logits.argmax(0)
            counted = truth != VOID
            both = [((found == n) & counted, truth == n) for n in range(len(names))]
            here = torch.tensor([[int((a & b).sum()), int((a | b).sum())] for a, b in both])
            overlap, union = overlap + here[:, 0], union + here[:, 1]
            shown = [n for n in range(1, len(names)) if here[n, 1]]
            means.append(float(np.mean([here[n, 0] / here[n, 1] for n in shown])) if shown else 1.0)
        each = {name: float(overlap[n] / union[n]) for n, name in enumerate(names) if n and union[n]}
        return Scores(each, float(np.mean(means)))
