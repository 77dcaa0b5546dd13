"""The network that makes a matte of a refined mask: a small U-net that weighs what else is known of each pixel."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spnrefine.model.config import MatteConfig
from spnrefine.model.layers import upsample
from spnrefine.model.matte_inputs import (
    CANDIDATES,
    CHANNELS,
    COARSE,
    GUIDED_FAR,
    GUIDED_NEAR,
    PROJECTED,
    REFINED,
    SOLVED_FAR,
    SOLVED_NEAR,
)

OUTPUTS = len(CANDIDATES) + 2
"""A weight for each candidate and for an alpha of the network's own, and that alpha."""
AT_FIRST = {
    COARSE: 0.0,
    REFINED: 0.0,
    PROJECTED: -3.0,
    GUIDED_NEAR: 0.0,
    GUIDED_FAR: -1.0,
    SOLVED_NEAR: 2.0,
    SOLVED_FAR: 1.0,
}
"""Logarithms of the candidates' weights before anything is learnt; 0 for the network's own."""


class Matting(nn.Module):
    """A U-net on blocks of 2 x 2 pixels that mixes the candidates of each pixel with an alpha of its own.

    What it puts out is a convex combination, so that a matte that was right already can pass through unchanged.
    Ronneberger et al., "U-Net", MICCAI 2015; Shi et al., "Real-Time Single Image Super-Resolution", CVPR 2016 (blocks).
    """

    def __init__(self, config: MatteConfig):
        super().__init__()
        self.config = config
        at2, at4, at8, at16 = (round(config.width * factor) for factor in (1, 1.5, 2, 2.5))
        self.at2 = _twice(4 * CHANNELS, at2)
        self.at4, self.at8, self.at16 = _twice(at2, at4), _twice(at4, at8), _twice(at8, at16)
        self.back8, self.back4 = _twice(at16 + at8, at8), _twice(at8 + at4, at4)
        self.back2 = _twice(at4 + at2, at2)
        self.head = nn.Conv2d(at2, 4 * OUTPUTS, 1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        first = [*(AT_FIRST[channel] for channel in CANDIDATES), 0.0, 0.0]
        self.head.bias.data = torch.tensor(first).repeat_interleave(4)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return alpha (N, 1, H, W) in 0..1 of (N, CHANNELS, H, W) in 0..1; H and W are multiples of 16.

        For the channels see :mod:`spnrefine.model.matte_inputs`.
        """
        at2 = self.at2(F.pixel_unshuffle(inputs, 2) * 2 - 1)
        at4 = self.at4(F.avg_pool2d(at2, 2))
        at8 = self.at8(F.avg_pool2d(at4, 2))
        x = self.at16(F.avg_pool2d(at8, 2))
        x = self.back8(torch.cat([upsample(x), at8], 1))
        x = self.back4(torch.cat([upsample(x), at4], 1))
        x = self.back2(torch.cat([upsample(x), at2], 1))
        out = F.pixel_shuffle(self.head(x), 2).float()
        weights, own = out[:, :-1].softmax(1), out[:, -1:].sigmoid()
        known = torch.cat([inputs[:, channel : channel + 1].float() for channel in CANDIDATES] + [own], 1)
        return (weights * known).sum(1, keepdim=True)


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*_block(inputs, outputs), *_block(outputs, outputs))


def _block(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
