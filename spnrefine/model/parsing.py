"""A label map from a photograph alone: a base parser's coarse map, refined by an SPN trained on top of it."""

import torch.nn.functional as F
from torch import Tensor, nn

from spnrefine.model.config import Config, SegmenterConfig
from spnrefine.model.segmenter import Segmenter
from spnrefine.model.spn import SPN, STRIDE

SHRINK, BASE_STRIDE = 2, 4
"""The base sees the image at half its size and puts out a quarter of that: classes 8 times smaller than the image."""


class ParsingNetwork(nn.Module):
    """The face-parsing experiment of Liu et al., NIPS 2017, section 5.1, for any classes of a label map."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        side = config.working_side // SHRINK
        self.base = Segmenter(SegmenterConfig(outputs=config.classes, stride=BASE_STRIDE, side=side))
        self.spn = SPN(config)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits (N, classes, H, W) of RGB images (N, 3, H, W) in 0..1, any H and W."""
        return self.spn(image, self.coarse(image))

    def coarse(self, image: Tensor) -> Tensor:
        """Return the base parser's probabilities (N, classes, H, W), enlarged to the size of ``image``."""
        height, width = image.shape[-2:]
        padding = (0, -width % (SHRINK * STRIDE), 0, -height % (SHRINK * STRIDE))
        padded = F.pad(image, padding, mode="replicate")
        return self.enlarge(self.base(F.avg_pool2d(padded, SHRINK)))[..., :height, :width]

    @staticmethod
    def enlarge(logits: Tensor) -> Tensor:
        """Turn the base's logits into probabilities, 8 times larger."""
        probability = logits.float().softmax(1)
        return F.interpolate(probability, scale_factor=SHRINK * BASE_STRIDE, mode="bilinear", align_corners=False)
