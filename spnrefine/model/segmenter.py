"""The network that makes a coarse mask where none is given: classes at a fraction of the photograph's resolution."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from spnrefine.model.config import SegmenterConfig
from spnrefine.model.encoder import FEATURE_CHANNELS, Encoder
from spnrefine.model.layers import conv_block, upsample

CONTEXT = 64


class Segmenter(nn.Module):
    """EfficientNet-Lite0, what the whole picture shows on average, and a narrow decoder up to stride 8 or 4.

    Chen et al., "Rethinking Atrous Convolution", 2017 (image-level features); Ronneberger et al., "U-Net", MICCAI 2015.
    """

    def __init__(self, config: SegmenterConfig):
        super().__init__()
        self.config = config
        _, at4, at8, at16, at32 = FEATURE_CHANNELS
        self.encoder = Encoder(3)
        self.context = conv_block(at32, CONTEXT, 1)
        self.decoder16 = conv_block(at32 + CONTEXT + at16, 96)
        self.decoder8 = conv_block(96 + at8, 64)
        self.decoder4 = conv_block(64 + at4, 48) if config.stride == 4 else None
        self.head = nn.Conv2d(48 if config.stride == 4 else 64, config.outputs, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, outputs, H / stride, W / stride) of RGB images (N, 3, H, W) in 0..1.

        H and W are multiples of 32. One output is the logit of an object against all else; several are classes.
        """
        _, at4, at8, at16, at32 = self.encoder(image * 2 - 1)
        context = self.context(F.adaptive_avg_pool2d(at32, 1)).expand(-1, -1, *at32.shape[-2:])
        x = self.decoder16(torch.cat([upsample(torch.cat([at32, context], 1)), at16], 1))
        x = self.decoder8(torch.cat([upsample(x), at8], 1))
        if self.decoder4 is not None:
            x = self.decoder4(torch.cat([upsample(x), at4], 1))
        return self.head(x)
