"""The guidance network: from photograph and coarse mask to the gates of the propagation."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from spnrefine.model.config import DETAIL_FULL
from spnrefine.model.encoder import FEATURE_CHANNELS, Encoder
from spnrefine.model.layers import conv_block, upsample

DETAIL_HALF = 16
DECODER8 = 64


class Guided(NamedTuple):
    """What the guidance network gives to the rest."""

    guidance: Tensor  # (N, outputs, H/2, W/2), raw
    detail: Tensor  # (N, 8, H, W): features at full resolution, for decoding
    stride8: Tensor  # (N, 64, H/8, W/8): where training attaches its auxiliary head


class GuidanceNetwork(nn.Module):
    """A U-net on EfficientNet-Lite0 with a thin full-resolution branch; one 1x1 convolution puts out the gates.

    ``outputs`` is their number: directions times taps times channels. Input: (N, ``inputs``, H, W) in -1..1, H and W
    multiples of 32.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        at2, at4, at8, at16, at32 = FEATURE_CHANNELS
        self.encoder = Encoder(inputs)
        self.detail_full = conv_block(inputs, DETAIL_FULL)
        self.detail_half = conv_block(DETAIL_FULL, DETAIL_HALF, stride=2)
        self.decoder16 = conv_block(at32 + at16, 96)
        self.decoder8 = conv_block(96 + at8, DECODER8)
        self.decoder4 = conv_block(DECODER8 + at4, 48)
        self.decoder2 = conv_block(48 + at2 + DETAIL_HALF, 32)
        self.gates = nn.Conv2d(32, outputs, 1)

    def forward(self, x: Tensor) -> Guided:
        at2, at4, at8, at16, at32 = self.encoder(x)
        detail = self.detail_full(x)
        stride16 = self.decoder16(torch.cat([upsample(at32), at16], 1))
        stride8 = self.decoder8(torch.cat([upsample(stride16), at8], 1))
        stride4 = self.decoder4(torch.cat([upsample(stride8), at4], 1))
        stride2 = self.decoder2(torch.cat([upsample(stride4), at2, self.detail_half(detail)], 1))
        return Guided(self.gates(stride2), detail, stride8)
