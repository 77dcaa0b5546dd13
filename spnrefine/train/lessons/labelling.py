"""The lesson of the parser: a base's coarse label maps, and an SPN on top of them that learns from patches."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spnrefine.files.classes import VOID
from spnrefine.model.parsing import SHRINK, ParsingNetwork
from spnrefine.train.data.looks import Photographs
from spnrefine.train.lessons.lesson import Infer, Lost
from spnrefine.train.lessons.segmenting import Source, class_loss, one_hot, prepare_segmenter, segmenter_loss
from spnrefine.train.recipe import Recipe

BEND_CELLS = 3, 12  # bumps of two sizes across a map
COMPARED = 8  # pixels this far apart are compared to find borders of classes


class Labelling:
    """Looks at photographs teach the base; patches of them that hold at least two labels teach the SPN."""

    capturable = False  # where to cut patches is decided on the host
    turns = 1

    def __init__(self, photographs: Photographs, recipe: Recipe, device: torch.device) -> None:
        self.source, self.recipe, self.device = Source(photographs, device), recipe, device
        self.random = torch.Generator()

    def prepare(self, model: nn.Module, *, continued: bool) -> None:
        assert isinstance(model, ParsingNetwork)
        if not continued:  # as in spnrefine.train.lessons.refining
            model.spn.add_auxiliary()
        prepare_segmenter(model.base)
        if not self.recipe.learn_base:
            model.base.requires_grad_(False).eval()

    def draw(self, step: int, infer: Infer) -> tuple[Tensor, Tensor, int]:
        return *self.source.batch(step, self.recipe), step

    def loss(self, model: nn.Module, drawn: tuple[Tensor, Tensor, int]) -> Lost:
        assert isinstance(model, ParsingNetwork)
        image, ids, step = drawn
        self.random.manual_seed(self.source.photographs.seed * 1_000_003 + step)
        with torch.set_grad_enabled(self.recipe.learn_base):
            coarse_logits = model.base(F.avg_pool2d(image, SHRINK))
        seen, given, truth = self._patches(image, self._worsened(model.enlarge(coarse_logits.detach())), ids)
        logits, *heads = model.spn.supervised(seen, given)
        loss = class_loss(logits, one_hot(truth, logits.shape[1]).float(), (truth != VOID)[:, None].float())
        total = loss + sum(self.recipe.auxiliary_weight * segmenter_loss(head, truth) for head in heads)
        if self.recipe.learn_base:
            total = total + segmenter_loss(coarse_logits, ids)
        return Lost(total, loss, len(truth))

    def _worsened(self, coarse: Tensor) -> Tensor:
        """Bend the maps, half of the time: on photographs never seen the base is less exact than on these."""
        count, side = len(coarse), coarse.shape[-1]
        strength = 2 * self.recipe.coarse_bend / side * torch.rand(count, 1, 1, 1, generator=self.random)
        strength *= torch.rand(count, 1, 1, 1, generator=self.random) < 0.5
        bumps = sum(
            F.interpolate(torch.randn(count, 2, cells, cells, generator=self.random), (side, side), mode="bilinear")
            for cells in BEND_CELLS
        )
        straight = F.affine_grid(torch.eye(2, 3).expand(count, 2, 3), [count, 1, side, side], align_corners=False)
        bent = straight + (bumps * strength).permute(0, 2, 3, 1)
        return F.grid_sample(coarse, bent.to(coarse), padding_mode="border", align_corners=False)

    def _patches(self, image: Tensor, coarse: Tensor, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Cut patches around pixels where labels meet."""
        side, reach = self.recipe.label_patch, ids.shape[-1] - self.recipe.label_patch
        cut = []
        for index, here in enumerate(ids.cpu()):
            known = here.where(here != VOID, -1)
            apart = (known[COMPARED:, COMPARED:] != known[:-COMPARED, :-COMPARED]) & (known[COMPARED:, COMPARED:] >= 0)
            rows, columns = apart.nonzero(as_tuple=True)
            for _ in range(self.recipe.label_patches):
                drawn = torch.rand(3, generator=self.random)
                if len(rows):
                    at = int(drawn[0] * len(rows))
                    centre = torch.stack([rows[at], columns[at]]) + (drawn[1:] - 0.5) * side / 2
                else:
                    centre = drawn[1:] * ids.shape[-1]
                y, x = (centre - side / 2).long().clamp(0, reach).tolist()
                cut.append((index, slice(y, y + side), slice(x, x + side)))
        layout = torch.channels_last
        seen = torch.stack([image[i, :, rows, columns] for i, rows, columns in cut])
        given = torch.stack([coarse[i, :, rows, columns] for i, rows, columns in cut])
        truth = torch.stack([ids[i, rows, columns] for i, rows, columns in cut])
        return seen.contiguous(memory_format=layout), given.contiguous(memory_format=layout), truth

    def state(self) -> dict[str, Any]:
        return {}  # all follows from the seed and the number of the step

    def set_state(self, state: dict[str, Any]) -> None:
        pass
