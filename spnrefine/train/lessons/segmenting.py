"""The lesson of the segmenter: classes of whole photographs, at a fraction of their resolution."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader

from spnrefine.files.classes import VOID
from spnrefine.model.segmenter import Segmenter
from spnrefine.train.data.bystander import end_with_parent, starting_bystanders
from spnrefine.train.data.looks import Photographs
from spnrefine.train.lessons.lesson import Infer, Lost
from spnrefine.train.lessons.refining import freeze_norms
from spnrefine.train.mistakes.draws import Draws
from spnrefine.train.mistakes.photometric import photometric
from spnrefine.train.recipe import Recipe

FROZEN_STAGES = 3  # and the stem: what edges and textures look like is known already


class Segmenting:
    """Whole photographs, or large parts of them, with their classes."""

    capturable = True
    turns = 1  # sizes come at random

    def __init__(self, photographs: Photographs, recipe: Recipe, device: torch.device) -> None:
        self.source, self.recipe, self.device = Source(photographs, device), recipe, device

    def prepare(self, model: nn.Module, *, continued: bool) -> None:
        assert isinstance(model, Segmenter)
        prepare_segmenter(model)

    def draw(self, step: int, infer: Infer) -> tuple[Tensor, Tensor]:
        return self.source.batch(step, self.recipe)

    def loss(self, model: nn.Module, drawn: tuple[Tensor, Tensor]) -> Lost:
        image, ids = drawn
        loss = segmenter_loss(model(image), ids)
        return Lost(loss, loss, len(ids))

    def state(self) -> dict[str, Any]:
        return {}  # a step's photographs follow from the seed and its number

    def set_state(self, state: dict[str, Any]) -> None:
        pass


def prepare_segmenter(model: Segmenter) -> None:
    """Freeze the encoder's first stages, most of the cost, and the statistics of all its norms."""
    for part in (model.encoder.stem, *model.encoder.stages[:FROZEN_STAGES]):
        part.requires_grad_(False)
    freeze_norms(model.encoder)


class Source:
    """Batches of photographs, read ahead by another process; which ones depends on the seed and the step alone."""

    def __init__(self, photographs: Photographs, device: torch.device) -> None:
        self.photographs, self.device = photographs, device
        self._next = -1
        self._batches: Iterator[list[Tensor]] = iter(())

    def batch(self, step: int, recipe: Recipe) -> tuple[Tensor, Tensor]:
        """Return images (N, 3, S, S), floats 0..1, under changing light, and ids (N, S, S), integers."""
        if step != self._next:
            self._batches = self._from(step)
        self._next = step + 1
        image, ids = [each.to(self.device, non_blocking=True) for each in next(self._batches)]
        generator = torch.Generator(self.device)
        generator.manual_seed(self.photographs.seed * 1_000_003 + step)
        changed = photometric(image.float() / 255, Draws(generator, len(image), image.shape[-1]), recipe)
        return changed.contiguous(memory_format=torch.channels_last), ids.long()

    def _from(self, step: int) -> Iterator[list[Tensor]]:
        size = self.photographs.batch
        method = "fork" if self.device.type == "cpu" else "spawn"
        loader = DataLoader(
            self.photographs,
            batch_size=size,
            sampler=_Onwards(step * size),
            num_workers=1,
            prefetch_factor=4,
            multiprocessing_context=method,
            worker_init_fn=end_with_parent,
        )
        with starting_bystanders(method):
            return iter(loader)


class _Onwards(torch.utils.data.Sampler[int]):
    def __init__(self, start: int) -> None:
        self.start = start

    def __iter__(self) -> Iterator[int]:
        number = self.start
        while True:
            yield number
            number += 1


def segmenter_loss(logits: Tensor, ids: Tensor) -> Tensor:
    """Return cross-entropy plus (1 - soft Dice) against the shares of the classes in each of the output's pixels.

    Parameters
    ----------
    logits : (N, outputs, h, w). ids : (N, H, W) integers; 255 is void, pixels that are mostly void do not count.
    """
    outputs, size = logits.shape[1], (logits.shape[2], logits.shape[3])
    planes = (ids == 1)[:, None] if outputs == 1 else one_hot(ids, outputs)
    known = F.adaptive_avg_pool2d((ids != VOID)[:, None].float(), size)
    shares = F.adaptive_avg_pool2d(planes.float(), size) / known.clamp(min=1e-6)
    return class_loss(logits, shares, (known > 0.5).float())


def class_loss(logits: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return cross-entropy plus (1 - soft Dice): of one output by a sigmoid per patch, of classes by a softmax.

    Parameters
    ----------
    logits, truth : (N, K, H, W), truth in 0..1. valid : (N, 1, H, W), 0 where there is no loss.
    """
    logits, count = logits.float(), valid.sum().clamp(min=1)
    if logits.shape[1] == 1:
        probability, over = logits.sigmoid(), (2, 3)
        entropy = F.binary_cross_entropy_with_logits(logits, truth, weight=valid, reduction="sum") / count
    else:
        probability, over = logits.softmax(1), (0, 2, 3)  # type: ignore[assignment]
        entropy = -(truth * logits.log_softmax(1) * valid).sum() / count
    probability, truth = probability * valid, truth * valid
    dice = (2 * (probability * truth).sum(over) + 1) / (probability.sum(over) + truth.sum(over) + 1)
    return entropy + (1 - dice).mean()


def one_hot(ids: Tensor, classes: int) -> Tensor:
    """Turn ids (N, H, W) into planes (N, classes, H, W), bool; void is in none."""
    return ids[:, None] == torch.arange(classes, device=ids.device)[:, None, None]
