"""The guidance network: from photograph and coarse mask to the gates of the propagation."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from spnrefine.model.config import DETAIL_FULL
from spnrefine.model.encoder import FEATURE_CHANNELS, Encoder
from spnrefine.model.layers import ConvBlock, conv_block, upsample

DETAIL_HALF = 16
DECODER16, DECODER8, DECODER4, DECODER2 = 96, 64, 48, 32
BOTTLENECKS = {DECODER16: 64, DECODER8: 64, DECODER4: 48, DECODER2: 48}
"""Channels between a decoder's inputs and its 3x3 convolution, by its outputs, of networks with a bottleneck."""


class Guided(NamedTuple):
    """What the guidance network gives to the rest."""

    guidance: Tensor  # (N, outputs, H/2, W/2), raw
    detail: Tensor  # (N, 8, H, W): features at full resolution, for decoding
    stride8: Tensor  # (N, 64, H/8, W/8): where training attaches its auxiliary head


class Bottleneck(nn.Module):
    """A decoder that brings its inputs to few channels before it enlarges and convolves them.

    It can be what a 3x3 convolution of all channels is, as far as that convolution's weights have a low rank. A 1x1
    convolution of what is enlarged is the same before as after, at a quarter of the cost.
    """

    def __init__(self, below: int, beside: int, outputs: int):
        super().__init__()
        between = BOTTLENECKS[outputs]
        self.below = nn.Conv2d(below, between, 1, bias=False)
        self.beside = nn.Conv2d(beside, between, 1, bias=False)
        self.joined = conv_block(between, outputs)

    def forward(self, below: Tensor, beside: Tensor) -> Tensor:
        """Take features (N, ``below``, H, W) and (N, ``beside``, 2 H, 2 W); return (N, ``outputs``, 2 H, 2 W)."""
        return self.joined(upsample(self.below(below)) + self.beside(beside))


class GuidanceNetwork(nn.Module):
    """A U-net on EfficientNet-Lite0 with a thin full-resolution branch; one 1x1 convolution puts out the gates.

    ``outputs`` is their number: directions times taps times channels. ``bottleneck``: decoders are :class:`Bottleneck`,
    else one convolution each. Input: (N, ``inputs``, H, W) in -1..1, H and W multiples of 32.
    """

    def __init__(self, inputs: int, outputs: int, *, bottleneck: bool = False):
        super().__init__()
        at2, at4, at8, at16, at32 = FEATURE_CHANNELS
        decoder = Bottleneck if bottleneck else _concatenating
        self.encoder = Encoder(inputs)
        self.detail_full = conv_block(inputs, DETAIL_FULL)
        self.detail_half = conv_block(DETAIL_FULL, DETAIL_HALF, stride=2)
        self.decoder16 = decoder(at32, at16, DECODER16)
        self.decoder8 = decoder(DECODER16, at8, DECODER8)
        self.decoder4 = decoder(DECODER8, at4, DECODER4)
        self.decoder2 = decoder(DECODER4, at2 + DETAIL_HALF, DECODER2)
        self.gates = nn.Conv2d(DECODER2, outputs, 1)

    def forward(self, x: Tensor) -> Guided:
        at2, at4, at8, at16, at32 = self.encoder(x)
        detail = self.detail_full(x)
        stride8 = self._deep(at8, at16, at32)
        stride4 = _decoded(self.decoder4, stride8, at4)
        stride2 = _decoded(self.decoder2, stride4, at2, self.detail_half(detail))
        return Guided(self.gates(stride2), detail, stride8)

    def below(self, at4: Tensor) -> Tensor:
        """Return what the decoder at stride 4 enlarges, of the encoder's features there; that is exported."""
        stride8 = self._deep(*self.encoder.deeper(at4))
        return self.decoder4.below(stride8) if isinstance(self.decoder4, Bottleneck) else stride8

    def _deep(self, at8: Tensor, at16: Tensor, at32: Tensor) -> Tensor:
        return _decoded(self.decoder8, _decoded(self.decoder16, at32, at16), at8)


def _concatenating(below: int, beside: int, outputs: int) -> ConvBlock:
    return conv_block(below + beside, outputs)


def _decoded(decoder: nn.Module, below: Tensor, *beside: Tensor) -> Tensor:
    if isinstance(decoder, Bottleneck):
        return decoder(below, torch.cat(beside, 1) if len(beside) > 1 else beside[0])
    return decoder(torch.cat([upsample(below), *beside], 1))
